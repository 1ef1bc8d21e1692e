// The compiled form of a ViewDefinition, shared by the compiler and the runner.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "view/parser.h"
#include "view/view.h"

namespace vitalake::view {

struct ColumnPlan {
  size_t index = 0;  // in the row
  Path path;
  bool collection = false;
  bool repeats = false;  // the column before it in the select has the same path
  std::string place;     // "select[0].column[2] (family_name)"
};

enum class Iteration : uint8_t { kOnce, kForEach, kForEachOrNull, kRepeat };

// One `select` element: for each focus, its columns, then the product of its parts.
struct SelectPlan {
  // A nested select, or a unionAll: then the rows of each branch after the other.
  struct Part {
    std::vector<SelectPlan> branches;
  };

  Iteration iteration = Iteration::kOnce;
  std::vector<Path> paths;  // one; several only for kRepeat
  std::string place;        // "select[0].forEach"
  std::vector<ColumnPlan> columns;
  std::vector<Part> parts;
  std::vector<size_t> all_columns;  // indexes of every column below, for the row of nulls

  // Gives exactly one row for any input, as far as can be known without data.
  bool IsOneRow() const;
};

struct ViewPlan {
  std::string name;
  std::string resource;
  std::vector<ColumnSpec> columns;
  std::vector<bool> collections;  // by column
  Constants constants;
  std::vector<Path> wheres;
  SelectPlan root;  // kOnce; its parts are the view's selects
};

struct View::Impl {
  ViewPlan plan;
};

}  // namespace vitalake::view
