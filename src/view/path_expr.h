// PathExpr: a chain of member names walked through objects and arrays.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "view/expr.h"

namespace vitalake::view {

class PathExpr final : public Expr {
 public:
  // From $this when `input` is null.
  explicit PathExpr(ExprPtr input = nullptr) : input_(std::move(input)) {}

  // Adds a member. A choice element ("value") matches the member of any type ("valueQuantity"),
  // which then is the item's type.
  void Add(std::string_view name);
  // Narrows the last member to ofType(type): "value" to "valueQuantity", or a plain "value" that
  // may be of that type. False when the last member was narrowed before.
  bool Narrow(std::string_view type);
  // Takes only the first item of everything the path gives so far: first(), [0].
  void TakeFirst();
  bool empty() const { return steps_.empty(); }

  bool Each(Env& env, Sink sink) const override;
  Found One(Env& env, Item& out) const override;
  PathExpr* AsPath() override { return this; }
  bool at_most_one() const override {
    if (!steps_.empty()) return steps_.back().first;
    return !input_ || input_->at_most_one();
  }
  bool is_watched() const override { return !input_ || input_->is_watched(); }
  Places Touch(JsonSelection& kept, const Places& focus) const override;

 private:
  struct Choice {
    std::string name;  // "valueQuantity"
    Symbol symbol;
    Symbol type;
  };
  struct Step {
    std::string name;
    Symbol symbol;
    bool first = false;           // the walk ends with the first value of this step
    std::string companion;        // "_name" when the next step is an extension
    std::string type;             // of Narrow
    std::vector<Choice> choices;  // of Narrow
  };

  struct Match {
    const JsonNode* node = nullptr;
    Symbol type = 0;
  };
  static Match Lookup(const Step& step, const JsonNode* object);
  static Match LookupChoice(const Step& step, const JsonNode* object);
  static Match LookupNarrowed(const Step& step, const JsonNode* object);
  // False ends the walk: the sink wants no more, or a first() is done.
  bool Walk(Env& env, const JsonNode* at, Symbol type, size_t step, Sink sink) const;
  bool Enter(Env& env, const JsonNode* object, size_t step, Sink sink) const;
  bool EnterCompanion(Env& env, const JsonNode* object, size_t step, Sink sink) const;
  const JsonNode* StraightLine(const JsonNode* at, Symbol& type, bool& sure) const;

  ExprPtr input_;
  std::vector<Step> steps_;
};

}  // namespace vitalake::view
