-- Operators that mean something else than the engine's (SqlDialect::kPostgres names the first two).
CREATE MACRO pg_divide(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a // b END;
CREATE MACRO pg_modulo(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a % b END;
-- `~` looks anywhere in the text.
CREATE MACRO regexp_full_match(a, b) AS regexp_matches(a, b);
CREATE MACRO "~*"(a, b) AS regexp_matches(a, b, 'i');
CREATE MACRO "!~*"(a, b) AS NOT regexp_matches(a, b, 'i');
-- '\x00ff'::bytea
CREATE MACRO byteain(text) AS unhex(text[3:]);
