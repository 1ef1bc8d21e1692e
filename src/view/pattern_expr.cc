#include "view/pattern_expr.h"

#include <fmt/format.h>

#include <iterator>
#include <regex>
#include <utility>

namespace vitalake::view {
namespace {

// matches(), matchesFull(), replaceMatches().
class PatternExpr final : public Expr {
 public:
  // Longer texts are a fault: the matcher's time is bounded by text times pattern.
  static constexpr size_t kMaxText = 65536;

  PatternExpr(PatternJob job, ExprPtr input, std::regex pattern, ExprPtr replacement)
      : job_(job),
        input_(std::move(input)),
        pattern_(std::move(pattern)),
        replacement_(std::move(replacement)) {}
  bool at_most_one() const override { return true; }
  StaticKind kind() const override {
    return job_ == PatternJob::kReplace ? StaticKind::kNotBoolean : StaticKind::kBoolean;
  }
  bool Each(Env& env, Sink sink) const override {
    Item item;
    const Found found = input_->One(env, item);
    if (env.failed()) return false;
    if (found == Found::kNone) return true;
    item = Atom(item);
    if (found == Found::kMany || !item.is_text()) return env.Fail("matches() needs one string");
    if (item.text.size() > kMaxText) return env.Fail("text too long for a regular expression");
    const char *from = item.text.data(), *to = from + item.text.size();
    if (job_ == PatternJob::kSearch) {
      return sink(Item::Boolean(std::regex_search(from, to, pattern_)));
    }
    if (job_ == PatternJob::kFull) return sink(Item::Boolean(std::regex_match(from, to, pattern_)));
    Item by;
    if (replacement_->One(env, by) != Found::kOne) return !env.failed();
    std::string out;
    std::regex_replace(std::back_inserter(out), from, to, pattern_, std::string(Atom(by).text));
    return sink(Item::Text(ItemKind::kString, env.Keep(out)));
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*input_, kept, focus);
    if (replacement_) TouchWhole(*replacement_, kept, focus);
    return {};
  }

 private:
  PatternJob job_;
  ExprPtr input_;
  std::regex pattern_;
  ExprPtr replacement_;
};

bool IsEmptyText(const Expr& expr) {
  const auto* literal = dynamic_cast<const ConstantExpr*>(&expr);
  return literal && literal->item().kind == ItemKind::kString && literal->item().text.empty();
}

// FHIRPath's '.' matches line ends too.
std::string WithSingleLineDots(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '.' && !in_class) {
      out += "[\\s\\S]";
      continue;
    }
    out += c;
    if (c == '\\' && i + 1 < pattern.size()) out += pattern[++i];
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Expr>> MakePattern(PatternJob job, std::unique_ptr<Expr> input,
                                          std::vector<ExprPtr> arguments) {
  if (job == PatternJob::kReplace && IsEmptyText(*arguments[0])) return input;
  if (dynamic_cast<const EmptyExpr*>(arguments[0].get())) return std::make_unique<EmptyExpr>();
  const auto* literal = dynamic_cast<const ConstantExpr*>(arguments[0].get());
  if (!literal || literal->item().kind != ItemKind::kString) {
    return Fail(ErrorKind::kInvalidArgument, "the regular expression must be a literal string");
  }
  auto flags = std::regex::ECMAScript | std::regex::optimize;
#ifdef __GLIBCXX__
  flags |= std::regex_constants::__polynomial;  // linear in the text, no recursion
#endif
  try {
    std::regex pattern(WithSingleLineDots(literal->item().text), flags);
    return std::make_unique<PatternExpr>(job, std::move(input), std::move(pattern),
                                         arguments.size() > 1 ? std::move(arguments[1]) : nullptr);
  } catch (const std::regex_error& error) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("bad regular expression '{}': {}", literal->item().text, error.what()));
  }
}

}  // namespace vitalake::view
