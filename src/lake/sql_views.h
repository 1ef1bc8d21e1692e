// SQL views: names that stand for a SELECT over the lake's tables.
//
// Two kinds: gold views (models/*.sql that say so; part of the program), and views kept with the
// lake, one object views/<name>.sql each, whose whole text is the SELECT and whose name has no
// schema. A kept view is never overwritten: it may be edited, or deleted, like any file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lake/lake.h"

namespace vitalake::lake {

// Every view: "gold.bp_population", "silver_patients" -> its SELECT. Errors of the store.
Result<std::map<std::string, std::string>> SqlViews(Lake& lake);

// The SELECT of one view; nullopt when there is none of that name. Errors of the store.
Result<std::optional<std::string>> FindSqlView(Lake& lake, std::string_view name);

// Keeps silver_patients, silver_observations and gold_patient_observations, with the reference
// platform's columns, with the lake. Returns the names of those that were not there.
Result<std::vector<std::string>> KeepReferenceViews(Lake& lake);

}  // namespace vitalake::lake
