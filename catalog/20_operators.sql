-- Operators that mean something else than the engine's (SqlDialect::kPostgres names the first two).
CREATE MACRO pg_divide(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a // b END;
CREATE MACRO pg_modulo(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a % b END;
-- SIMILAR TO (SqlDialect::kPostgres names it): of the whole text, % and _ as in LIKE; what else stands for several
-- texts is as in regular expressions.
CREATE MACRO similar_to(value, pattern) AS system.main.regexp_matches(value, '^(?:' || array_to_string(list_transform(
  regexp_extract_all(pattern, '\\.|\[\^?\]?(?:\\.|\[:[a-z]+:\]|[^\]\\])*\]|.', 0, 's'), lambda part: CASE
    WHEN part = '%' THEN '.*' WHEN part = '_' THEN '.' WHEN part = '(' THEN '(?:'
    WHEN part IN ('.', '^', '$') THEN '\' || part ELSE part END), '') || ')$', 's');
-- `~` looks anywhere in the text.
CREATE MACRO regexp_full_match(a, b) AS regexp_matches(a, b);
CREATE MACRO "~*"(a, b) AS regexp_matches(a, b, 'i');
CREATE MACRO "!~*"(a, b) AS NOT regexp_matches(a, b, 'i');
-- '\x00ff'::bytea
CREATE MACRO byteain(text) AS unhex(text[3:]);
-- `#>>`, whose sign the engine's parser does not take for an operator's (serve/postgres_rewrite.cc).
CREATE MACRO "@>>"(document, path) AS json_extract_string(document, '$' || array_to_string(
  list_transform(path, lambda step: CASE WHEN regexp_matches(step, '^[0-9]+$') THEN '[' || step || ']'
                                         ELSE '."' || step || '"' END), ''));
