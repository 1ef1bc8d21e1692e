#include "serve/postgres/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "serve/postgres/lexer.h"
#include "serve/postgres/rewrite.h"

namespace vitalake::serve {
namespace {

using engine::Parameter;

constexpr size_t kMostParameters = 65'535;

// Of the items of an array that is compared with something: numbers in the widest first.
constexpr PgType kItemTypes[] = {PgType::kText,      PgType::kInt8,        PgType::kFloat8,
                                 PgType::kNumeric,   PgType::kBool,        PgType::kDate,
                                 PgType::kTimestamp, PgType::kTimestampTz, PgType::kUuid};

std::unexpected<PgError> Refuse(std::string state, std::string message) {
  return std::unexpected(PgError{.state = std::move(state), .message = std::move(message)});
}

// DECIMAL has a fixed scale in the engine: as many digits as the value has.
std::string DecimalFor(const Parameter& value) {
  constexpr size_t kMostDigits = 38;
  const auto* const text = std::get_if<std::string>(&value);
  if (!text) return "DECIMAL(38,10)";
  if (text->find_first_of("eE") != std::string::npos) return "DOUBLE";
  const size_t point = text->find('.');
  const size_t scale = point == std::string::npos ? 0 : text->size() - point - 1;
  return fmt::format("DECIMAL(38,{})", std::min(scale, kMostDigits));
}

// 1 of `$1`; 0: it is something else.
size_t ParameterNumber(const SqlToken& token) {
  size_t number = 0;
  if (token.kind == SqlToken::Kind::kParameter) {
    std::from_chars(token.text.data() + 1, token.text.data() + token.text.size(), number);
  }
  return number;
}

// What the statement itself says of its parameters: `$1::oid`, `$1::oid[]`.
void TakeCastTypes(std::string_view text, std::vector<int32_t>& types) {
  const std::vector<SqlToken> tokens = TokensOf(text);
  const auto is = [&](size_t i, std::string_view symbol) {
    return i < tokens.size() && tokens[i].text == symbol;
  };
  for (size_t i = 0; i < tokens.size(); ++i) {
    const size_t number = ParameterNumber(tokens[i]);
    if (number == 0 || number > types.size() || types[number - 1] != 0 || !is(i + 1, "::"))
      continue;
    const size_t name = is(i + 3, ".") ? i + 4 : i + 2;
    if (name >= tokens.size()) continue;
    if (name + 1 < tokens.size() && IsKeyword(tokens[name + 1], "with")) continue;  // time zone
    const int32_t type = PgTypeNamed(MeaningOf(tokens[name]));
    types[number - 1] = is(name + 1, "[") && is(name + 2, "]") ? PgArrayOf(type) : type;
  }
}

// The parameters without a type that stand as `any($1)`: arrays.
std::vector<size_t> OpenArrays(std::string_view text, const std::vector<int32_t>& types) {
  std::vector<size_t> numbers;
  const std::vector<SqlToken> tokens = TokensOf(text);
  for (size_t i = 0; i + 3 < tokens.size(); ++i) {
    if (!IsKeyword(tokens[i], "any") && !IsKeyword(tokens[i], "all")) continue;
    const size_t number = ParameterNumber(tokens[i + 2]);
    if (tokens[i + 1].text == "(" && tokens[i + 3].text == ")" && number > 0 &&
        number <= types.size() && types[number - 1] == 0) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

// The statement with something else for each `$n` up to `count`; where that is empty, `$n` stays.
std::string WithEach(std::string_view text, size_t count,
                     const std::function<std::string(size_t number, std::string_view token)>& put) {
  std::string out;
  size_t copied = 0;
  for (const SqlToken& token : TokensOf(text)) {
    const size_t number = ParameterNumber(token);
    if (number == 0 || number > count) continue;
    const std::string instead = put(number, token.text);
    if (instead.empty()) continue;
    out += text.substr(copied, token.begin - copied);
    out += instead;
    copied = token.begin + token.text.size();
  }
  return out += text.substr(copied);
}

// With each `$n` cast to its type; those of no type stay as they are.
std::string WithTypes(std::string_view text, const std::vector<int32_t>& types,
                      const std::vector<Parameter>* values) {
  return WithEach(text, types.size(), [&](size_t number, std::string_view token) {
    std::string type(SqlTypeOf(types[number - 1]));
    if (values && types[number - 1] == static_cast<int32_t>(PgType::kNumeric)) {
      type = DecimalFor((*values)[number - 1]);
    }
    return type.empty() ? type : fmt::format("CAST({} AS {})", token, type);
  });
}

// With a function for each `$n`.
std::string WithHeld(std::string_view text, const engine::HeldValues& values, size_t count) {
  return WithEach(text, count, [&](size_t number, std::string_view) { return values.Sql(number); });
}

// With a null of its type for each `$n`.
std::string WithNulls(std::string_view text, const std::vector<int32_t>& types) {
  return WithEach(text, types.size(), [&](size_t number, std::string_view) {
    return fmt::format("CAST(NULL AS {})", SqlTypeOf(types[number - 1]));
  });
}

// Whether the engine tells what the rows will be only once it has the parameters' values.
bool IsVague(const engine::PreparedQuery& query) {
  return query.columns().empty() ||
         std::ranges::any_of(query.columns(), [](const engine::PreparedQuery::Column& column) {
           return column.type.id == engine::TypeId::kUnknown;
         });
}

bool GivesColumns(const engine::PreparedQuery& query, const std::vector<PgColumn>& columns) {
  return std::ranges::equal(query.columns(), columns, [](const auto& now, const auto& then) {
    return PgColumnOf("", now.type).oid == then.oid;
  });
}

// B'101' and X'1F', which the engine takes for text.
bool HasBitString(std::string_view text) {
  const std::vector<SqlToken> tokens = TokensOf(text);
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    const bool mark = IsKeyword(tokens[i], "b") || IsKeyword(tokens[i], "x");
    if (mark && tokens[i + 1].text.starts_with('\'') &&
        tokens[i + 1].begin == tokens[i].begin + 1) {
      return true;
    }
  }
  return false;
}

size_t CountParameters(std::string_view text) {
  size_t most = 0;
  for (const SqlToken& token : TokensOf(text)) {
    most = std::max(most, ParameterNumber(token));
  }
  return most;
}

}  // namespace

Status PgExecutor::EnsureSession() {
  if (session_) return {};
  VL_TRY(session_, open_());
  return {};
}

PgResult<std::string> PgExecutor::EngineText(const PgStatement& statement) const {
  if (statement.command.kind != PgCommand::Kind::kShow) {
    return statement.command.query.empty() ? statement.text : statement.command.query;
  }
  if (statement.command.name == "all") {
    std::string rows;
    for (const auto& [name, value] : settings_.All()) {
      rows += fmt::format("{}({}, {}, '')", rows.empty() ? "" : ", ", engine::QuoteLiteral(name),
                          engine::QuoteLiteral(value));
    }
    return "SELECT * FROM (VALUES " + rows + ") AS s(name, setting, description)";
  }
  const auto value = settings_.Get(statement.command.name);
  if (!value) return Refuse("42704", value.error().message);
  return fmt::format("SELECT {} AS {}", engine::QuoteLiteral(*value),
                     engine::QuoteName(settings_.Spelling(statement.command.name)));
}

Result<engine::PreparedQuery> PgExecutor::PrepareTyped(std::string_view text,
                                                       const std::vector<int32_t>& types,
                                                       const std::vector<Parameter>* values,
                                                       engine::Connection& connection,
                                                       ColumnNames* names, const Wait& wait) {
  VL_TRY(const auto planned, session_->Plan(EngineSql(WithTypes(text, types, values)), wait));
  VL_TRY(auto prepared, connection.Prepare(planned.sql, wait));
  if (names) *names = planned.names;
  return prepared;
}

PgResult<PgStatement> PgExecutor::Prepare(std::string_view text, PgCommand command,
                                          std::vector<int32_t> types, const Wait& wait) {
  PgStatement statement{.command = std::move(command), .text = std::string(text)};
  VL_TRY(const std::string sql, EngineText(statement));
  const auto refuse = [&](const Error& error) {
    return std::unexpected(PgErrorOf(error, statement.text));
  };
  auto pass = gate_.Enter(clock_, wait);
  if (!pass) return refuse(pass.error());
  if (const Status opened = EnsureSession(); !opened) return refuse(opened.error());
  if (HasBitString(sql)) return Refuse("0A000", "bit strings are not supported");
  const size_t count = CountParameters(sql);
  if (count > kMostParameters) {
    return Refuse("54000", fmt::format("there are at most {} parameters", kMostParameters));
  }
  types.resize(count, 0);
  for (int32_t& type : types) {
    if (type == static_cast<int32_t>(PgType::kUnknown)) type = 0;
    if (type != 0 && SqlTypeOf(type).empty()) type = static_cast<int32_t>(PgType::kText);
  }
  TakeCastTypes(sql, types);
  ColumnNames names;
  auto prepared = PrepareTyped(sql, types, nullptr, session_->connection(), &names, wait);
  // The engine does not tell of which type an array must be: it is tried, for it compares only what
  // has one type.
  const std::vector<size_t> arrays = OpenArrays(sql, types);
  bool told = arrays.empty();
  for (const PgType item : kItemTypes) {
    if (told) break;
    for (const size_t number : arrays) types[number - 1] = PgArrayOf(static_cast<int32_t>(item));
    prepared = PrepareTyped(sql, types, nullptr, session_->connection(), &names, wait);
    told = prepared.has_value();
  }
  const bool open = std::ranges::count(types, 0) > 0;
  if (!prepared && !open) return refuse(prepared.error());
  for (size_t i = 0; open && i < types.size(); ++i) {
    if (types[i] != 0) continue;
    const bool known = prepared && i < prepared->parameters().size() &&
                       prepared->parameters()[i].id != engine::TypeId::kUnknown &&
                       prepared->parameters()[i].id != engine::TypeId::kNull;
    types[i] =
        known ? PgColumnOf("", prepared->parameters()[i]).oid : static_cast<int32_t>(PgType::kText);
  }
  if (open) {
    auto again = PrepareTyped(sql, types, nullptr, session_->connection(), &names, wait);
    if (!again) return refuse(prepared ? again.error() : prepared.error());
    prepared = std::move(again);
  }
  if (!types.empty() && IsVague(*prepared)) {
    // The engine needs values to tell: nulls of the types do.
    ColumnNames ignored;
    auto again =
        PrepareTyped(WithNulls(sql, types), {}, nullptr, session_->connection(), &ignored, wait);
    if (again) prepared = std::move(again);
  }
  for (const engine::PreparedQuery::Column& column : prepared->columns()) {
    statement.columns.push_back(PgColumnOf(column.name, column.type));
  }
  if (names && names->size() == statement.columns.size()) {
    for (size_t i = 0; i < names->size(); ++i) statement.columns[i].name = (*names)[i];
  }
  // The digits of a number say how it is cast: known only with the values.
  if (std::ranges::count(types, static_cast<int32_t>(PgType::kNumeric)) == 0) {
    statement.point = session_->FindPoint(EngineSql(WithTypes(sql, types, nullptr)), wait);
  }
  statement.types = std::move(types);
  return statement;
}

Result<bool> PgExecutor::BindPoint(PgPortal& portal, const Wait& wait) {
  const PgStatement& bound = portal.statement();
  if (!bound.point || !point_holder_.expired() || !engine::HeldValues::CanHold(portal.values_)) {
    return false;
  }
  VL_TRY(const std::string* const sql, session_->FillPoint(*bound.point, portal.values_, wait));
  if (!sql) return false;
  point_values_.Set(portal.values_);
  portal.held_sql_ = WithHeld(*sql, point_values_, portal.values_.size());
  if (!point_connection_) {
    VL_TRY(point_connection_, session_->ConnectForPoints());
  }
  const auto plan = point_plans_.Plan(*point_connection_, portal.held_sql_, wait);
  // What is no constant any more may not stand everywhere that one may.
  if (!plan || !GivesColumns(**plan, bound.columns)) return false;
  portal.held_ = std::make_shared<bool>(true);
  point_holder_ = portal.held_;
  return true;
}

PgResult<std::unique_ptr<PgPortal>> PgExecutor::Bind(std::shared_ptr<const PgStatement> statement,
                                                     std::vector<Parameter> values,
                                                     const Wait& wait) {
  auto portal = std::make_unique<PgPortal>(std::move(statement));
  portal->values_ = std::move(values);
  if (!portal->has_rows()) return portal;
  const PgStatement& bound = portal->statement();
  const auto refuse = [&](const Error& error) {
    return std::unexpected(PgErrorOf(error, bound.text));
  };
  auto pass = gate_.Enter(clock_, wait);
  if (!pass) return refuse(pass.error());
  const auto at_point = BindPoint(*portal, wait);
  if (!at_point) return refuse(at_point.error());
  if (!*at_point) VL_RETURN_IF_ERROR(BindTables(*portal, wait));
  return portal;
}

PgResult<void> PgExecutor::BindTables(PgPortal& portal, const Wait& wait) {
  const PgStatement& bound = portal.statement();
  const auto refuse = [&](const Error& error) {
    return std::unexpected(PgErrorOf(error, bound.text));
  };
  VL_TRY(const std::string sql, EngineText(bound));
  Release(portal);
  portal.done_ = false;
  if (idle_.empty()) {
    auto connection = session_->Connect();
    if (!connection) return refuse(connection.error());
    idle_.push_back(std::move(*connection));
  }
  auto prepared = PrepareTyped(sql, bound.types, &portal.values_, idle_.back(), nullptr, wait);
  if (!prepared) return refuse(prepared.error());
  if (!GivesColumns(*prepared, bound.columns) && !IsVague(*prepared))
    return Refuse("0A000", "cached plan must not change result type");
  portal.connection_ = std::move(idle_.back());
  idle_.pop_back();
  portal.prepared_ = std::move(*prepared);
  portal.planned_ = session_->statements_planned();
  return {};
}

PgResult<void> PgExecutor::Start(PgPortal& portal, const Wait& wait) {
  std::optional<Result<engine::QueryResult>> at_point;
  if (portal.held_) {
    at_point = point_plans_.Stream(*point_connection_, portal.held_sql_, wait);
    if (!*at_point && at_point->error().kind == ErrorKind::kLimit) {
      // What others hold leaves no room there.
      at_point.reset();
      point_plans_.Clear();
      VL_RETURN_IF_ERROR(BindTables(portal, wait));
    }
  } else if (!portal.prepared_ ||
             (!portal.values_.empty() && portal.planned_ != session_->statements_planned())) {
    // The engine plans it anew where values have other types than it was told. The tables must then
    // be known as this statement needs them, not as the one that was planned last.
    VL_RETURN_IF_ERROR(BindTables(portal, wait));
  }
  auto result = at_point ? std::move(*at_point) : portal.prepared_->Stream(portal.values_, wait);
  if (!result) return std::unexpected(PgErrorOf(result.error(), portal.statement().text));
  // What it depends on values may come out otherwise than it was told: then it must not be sent.
  const bool told = std::ranges::equal(result->types(), portal.statement().columns,
                                       [](const engine::ResultType& type, const PgColumn& column) {
                                         return PgColumnOf("", type).oid == column.oid;
                                       });
  if (!told) return Refuse("0A000", "the types of the result depend on the parameters: cast them");
  portal.result_ = std::move(*result);
  return {};
}

void PgExecutor::Release(PgPortal& portal) {
  portal.done_ = true;
  portal.result_.reset();
  if (portal.held_) session_->ForgetPoint(*portal.statement().point);
  portal.held_.reset();
  portal.prepared_.reset();
  if (portal.connection_) idle_.push_back(std::move(*portal.connection_));
  portal.connection_.reset();
}

PgResult<PgExecutor::Fetched> PgExecutor::Fetch(PgPortal& portal, int64_t most, const RowSink& sink,
                                                const Wait& wait) {
  Fetched fetched;
  const auto refuse = [&](const Error& error) {
    return std::unexpected(PgErrorOf(error, portal.statement().text));
  };
  fetched.done = portal.done_;
  while (!fetched.done && fetched.rows < most) {
    bool full = false;
    {
      const auto pass = gate_.Enter(clock_, wait);
      if (!pass) return refuse(pass.error());
      if (!portal.result_) {
        if (auto started = Start(portal, wait); !started) return std::unexpected(started.error());
      }
      portal.result_->SetWait(wait);
      while (!full && fetched.rows < most) {
        const auto more = portal.result_->Next();
        if (!more) return refuse(more.error());
        fetched.done = !*more;
        if (fetched.done) {
          Release(portal);
          break;
        }
        full = sink.row(*portal.result_);
        ++fetched.rows;
      }
    }
    if (!full) continue;
    if (const Status sent = sink.flush(); !sent) {
      return std::unexpected(
          PgError{.state = "08006", .message = sent.error().message, .fatal = true});
    }
  }
  return fetched;
}

}  // namespace vitalake::serve
