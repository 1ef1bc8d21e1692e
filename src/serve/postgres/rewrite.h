// PostgreSQL's spellings that the engine's parser does not know, said in those it knows.
#pragma once

#include <string>
#include <string_view>

namespace vitalake::serve {

// The statement with `pg_catalog.` left out (its names are found without), OPERATOR(schema.+) as
// the bare operator, collations of plain text left out, information_schema at its place. What is
// left out becomes blanks, so that places in errors stay true.
std::string EngineSql(std::string_view statement);

}  // namespace vitalake::serve
