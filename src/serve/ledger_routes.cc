// Lists are read newest first by (time, ...): a page ends with its last row's key, and the next one
// asks for rows below it.
#include "serve/ledger_routes.h"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <memory>

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/percent.h"
#include "ingest/replay.h"
#include "lake/quarantine.h"
#include "serve/http/fields.h"
#include "serve/http/problem.h"
#include "serve/page_cursor.h"
#include "serve/query_number.h"

namespace vitalake::serve {
namespace {

constexpr size_t kUsualPage = 100, kMostPage = 1'000;
constexpr std::chrono::seconds kListPatience{40};
constexpr std::chrono::minutes kReplayPatience{10};

// A list of one table, newest first.
struct NewestList {
  std::string_view name;  // of the array, and of the path
  std::string_view table;
  std::string_view columns;  // told
  std::string_view time;     // column sorted by first
  std::string_view second, third;
  std::vector<std::string_view> filters;  // columns a query parameter of their name compares with
  bool hides_replayed = false;            // unless `replayed=true`
};

const NewestList kLedgerList = {
    "ledger",
    "ops.ledger",
    "run, source, \"range\", received, written, superseded, duplicate, quarantined, out_of_scope, "
    "bytes, started_at, finished_at, message",
    "started_at",
    "run",
    "\"range\"",
    {"run", "source"}};
const NewestList kQuarantineList = {
    "quarantine",
    "ops.quarantine",
    "id, run, source, position, reason, element_path, message, received_at, replayed_at",
    "received_at",
    "id",
    "position",
    {"reason", "source"},
    true};

struct ListPage {
  size_t limit = kUsualPage;
  CursorParts after;  // empty: the first page
  std::vector<std::pair<std::string_view, std::string>> filters;
  bool replayed = true;  // with what was replayed since
};

Result<ListPage> PageOf(const Request& request, const NewestList& list) {
  ListPage page;
  VL_TRY(page.limit, PositiveOf(request, "limit", kUsualPage, kMostPage));
  if (const std::string* const cursor = request.Query("before")) {
    VL_TRY(page.after, DecodeCursor(*cursor, 3));
  }
  for (const std::string_view filter : list.filters) {
    const std::string* const value = request.Query(filter);
    if (value != nullptr && !value->empty()) page.filters.emplace_back(filter, *value);
  }
  const std::string* const replayed = request.Query("replayed");
  page.replayed = !list.hides_replayed || (replayed != nullptr && *replayed == "true");
  return page;
}

std::string NextLink(const NewestList& list, const ListPage& page, const CursorParts& last) {
  std::string link = fmt::format("/{}?limit={}", list.name, page.limit);
  for (const auto& [name, value] : page.filters) {
    link += fmt::format("&{}={}", name, PercentEncoded(value));
  }
  if (list.hides_replayed && page.replayed) link += "&replayed=true";
  return link + "&before=" + EncodeCursor(last);
}

std::string ListSql(const NewestList& list, const ListPage& page,
                    std::vector<engine::Parameter>& parameters) {
  std::string where = page.replayed ? "true" : "replayed_at IS NULL";
  for (const auto& [column, value] : page.filters) {
    where += fmt::format(" AND {} = ?", column);
    parameters.emplace_back(value);
  }
  const std::string key =
      fmt::format("(coalesce(epoch_us({}), 0), coalesce({}, ''), coalesce({}, ''))", list.time,
                  list.second, list.third);
  if (!page.after.empty()) {
    where += fmt::format(" AND {} < (CAST(? AS BIGINT), ?, ?)", key);
    for (const std::string& part : page.after) parameters.emplace_back(part);
  }
  return fmt::format(
      "SELECT {}, CAST(coalesce(epoch_us({}), 0) AS VARCHAR), coalesce({}, ''), coalesce({}, '') "
      "FROM {} WHERE {} ORDER BY {} DESC LIMIT {}",
      list.columns, list.time, list.second, list.third, list.table, where, key, page.limit + 1);
}

void AppendRow(const engine::QueryResult& row, size_t columns, std::string& out) {
  out += '{';
  for (size_t i = 0; i < columns; ++i) {
    if (i > 0) out += ',';
    AppendJsonString(out, row.columns()[i].name);
    out += ':';
    row.AppendJson(i, out);
  }
  out += '}';
}

// `"<name>":[...],"next":...`
Result<std::string> ListJson(engine::SqlSession& session, const NewestList& list,
                             const ListPage& page, const Wait& wait) {
  std::vector<engine::Parameter> parameters;
  const std::string sql = ListSql(list, page, parameters);
  VL_TRY(engine::QueryResult result, session.Query(sql, parameters, wait));
  const size_t told = result.columns().size() - 3;
  std::string rows;
  CursorParts last;
  size_t count = 0;
  while (true) {
    VL_TRY(const bool more, result.Next());
    if (!more) last.clear();
    if (!more || count == page.limit) break;
    rows += count++ == 0 ? "\n" : ",\n";
    AppendRow(result, told, rows);
    last = {result.Text(told), result.Text(told + 1), result.Text(told + 2)};
  }
  std::string next = "null";
  if (!last.empty()) {
    next.clear();
    AppendJsonString(next, NextLink(list, page, last));
  }
  return fmt::format("\"{}\":[{}],\"next\":{}", list.name, rows, next);
}

Result<std::string> ReasonsJson(engine::SqlSession& session, const Wait& wait) {
  VL_TRY(engine::QueryResult counts,
         session.Query("SELECT reason, count(*) FILTER (replayed_at IS NULL) AS waiting, "
                       "count(replayed_at) AS replayed FROM ops.quarantine GROUP BY 1 ORDER BY 1",
                       {}, wait));
  std::string text;
  while (true) {
    VL_TRY(const bool more, counts.Next());
    if (!more) return text;
    if (!text.empty()) text += ',';
    AppendRow(counts, counts.columns().size(), text);
  }
}

void AnswerList(QueryDesk& desk, const NewestList& list, const Request& request,
                const Reply& reply) {
  auto page = PageOf(request, list);
  if (!page) return reply(ErrorResponse(page.error(), request.path));
  desk.Run(request.path, reply,
           [&list, page = std::move(*page)](engine::SqlSession& session,
                                            const Wait& wait) -> Result<Response> {
             VL_TRY(const std::string rows, ListJson(session, list, page, wait));
             if (!list.hides_replayed) return JsonResponse("{" + rows + "}\n");
             VL_TRY(const std::string reasons, ReasonsJson(session, wait));
             return JsonResponse(fmt::format("{{{},\"reasons\":[{}]}}\n", rows, reasons));
           });
}

void AnswerOne(QueryDesk& desk, const Request& request, const Reply& reply) {
  desk.Run(request.path, reply,
           [&desk, id = request.parameters.at("id"), path = request.path](
               engine::SqlSession& session, const Wait&) -> Result<Response> {
             VL_TRY(engine::QueryResult row,
                    lake::ListQuarantine(desk.lake(), session.connection(),
                                         {.reason = "", .id = id, .include_replayed = true}));
             VL_TRY(const bool found, row.Next());
             if (!found) return ProblemResponse({404, "Nothing in quarantine has that id", path});
             std::string text;
             AppendRow(row, row.columns().size(), text);
             return JsonResponse(std::move(text) + "\n");
           });
}

Result<lake::QuarantineFilter> FilterOf(const Request& request) {
  lake::QuarantineFilter filter;
  JsonParser parser;
  const auto body = parser.Parse(request.body.empty() ? "{}" : request.body);
  if (!body || !body->is_object()) {
    return Fail(ErrorKind::kInvalidArgument, "the body is a JSON object");
  }
  for (const JsonValue member : body->children()) {
    const bool known = member.key() == "reason" || member.key() == "id";
    if (!known || !member.is_string()) {
      return Fail(ErrorKind::kInvalidArgument, "the body has `reason` and `id`, both strings");
    }
    (member.key() == "id" ? filter.id : filter.reason) = member.text();
  }
  return filter;
}

// Lets one replay run at a time.
class ReplayTurn {
 public:
  static std::shared_ptr<ReplayTurn> Take(const std::shared_ptr<std::atomic_flag>& busy) {
    if (busy->test_and_set()) return nullptr;
    return std::shared_ptr<ReplayTurn>(new ReplayTurn(busy));
  }
  ~ReplayTurn() { busy_->clear(); }

 private:
  explicit ReplayTurn(std::shared_ptr<std::atomic_flag> busy) : busy_(std::move(busy)) {}
  std::shared_ptr<std::atomic_flag> busy_;
};

void AnswerReplay(QueryDesk& desk, const std::shared_ptr<std::atomic_flag>& busy,
                  const Request& request, const Reply& reply) {
  const std::string path = request.path;
  if (!SendsJson(request)) {
    return reply(ProblemResponse({415, "Send application/json: {} or {\"reason\":\"...\"}", path}));
  }
  auto filter = FilterOf(request);
  if (!filter) return reply(ErrorResponse(filter.error(), path));
  auto turn = ReplayTurn::Take(busy);
  if (!turn) return reply(ProblemResponse({409, "A replay is under way already", path}));
  desk.Run(
      path, reply,
      [&desk, turn, filter = std::move(*filter)](engine::SqlSession&,
                                                 const Wait& wait) -> Result<Response> {
        VL_TRY(const ingest::ReplaySummary done,
               ingest::ReplayQuarantine(desk.lake(), filter, {}, {.stop = wait.stop}));
        return JsonResponse(ingest::ReplayJson(done) + "\n");
      },
      WhenClientGoes::kGoOn);
}

shape::Members LedgerMembers() {
  shape::Members members = {{"run", shape::Text()},
                            {"source", shape::OrNull(shape::Text())},
                            {"range", shape::OrNull(shape::Text())}};
  for (const char* const count :
       {"received", "written", "superseded", "duplicate", "quarantined", "out_of_scope", "bytes"}) {
    members.emplace_back(count, shape::OrNull(shape::Whole()));
  }
  for (const char* const text : {"started_at", "finished_at", "message"}) {
    members.emplace_back(text, shape::OrNull(shape::Text()));
  }
  return members;
}

shape::Members QuarantineMembers() {
  shape::Members members = {{"id", shape::Text()}};
  for (const char* const text : {"run", "source", "position", "reason", "element_path", "message",
                                 "received_at", "replayed_at"}) {
    members.emplace_back(text, shape::OrNull(shape::Text()));
  }
  return members;
}

shape::Shape ReplayShape() {
  shape::Members members = {{"run", shape::Text()}};
  for (const char* const count :
       {"selected", "written", "superseded", "duplicate", "out_of_scope", "still_refused"}) {
    members.emplace_back(count, shape::Whole());
  }
  return shape::Object(members);
}

Route ListRoute(std::string method, std::string path, std::string summary, Handler handler) {
  Route route =
      MakeRoute(std::move(method), std::move(path), std::move(summary), std::move(handler));
  route.gives = {"application/json"};
  route.patience = kListPatience;
  return route;
}

}  // namespace

void AddLedgerRoutes(Routes& routes, QueryDesk& desk) {
  const std::vector<QueryParameter> paging = {{"limit", "Rows of a page (100)", "integer"},
                                              {"before", "As `next` of the page before says"}};
  Route ledger = ListRoute("GET", "/ledger", "What came in and what became of it, newest first",
                           [&desk](const Request& request, const Reply& reply) {
                             AnswerList(desk, kLedgerList, request, reply);
                           });
  const shape::Shape next = shape::OrNull(shape::Text());
  ledger.answer =
      shape::Object({{"ledger", shape::List(shape::Object(LedgerMembers()))}, {"next", next}});
  ledger.query = {{"run", "Only of this run"}, {"source", "Only of this source"}};
  ledger.query.insert(ledger.query.end(), paging.begin(), paging.end());
  routes.Add(std::move(ledger));

  Route quarantine = ListRoute("GET", "/quarantine", "What could not be used, newest first",
                               [&desk](const Request& request, const Reply& reply) {
                                 AnswerList(desk, kQuarantineList, request, reply);
                               });
  quarantine.answer =
      shape::Object({{"quarantine", shape::List(shape::Object(QuarantineMembers()))},
                     {"reasons", shape::List(shape::Object({{"reason", shape::Text()},
                                                            {"waiting", shape::Whole()},
                                                            {"replayed", shape::Whole()}}))},
                     {"next", next}});
  quarantine.query = {{"reason", "Only with this reason"},
                      {"source", "Only of this source"},
                      {"replayed", "Also what was replayed since", "boolean"}};
  quarantine.query.insert(quarantine.query.end(), paging.begin(), paging.end());
  routes.Add(std::move(quarantine));

  Route one = ListRoute(
      "GET", "/quarantine/{id}", "One record in quarantine with its payload",
      [&desk](const Request& request, const Reply& reply) { AnswerOne(desk, request, reply); });
  shape::Members with_payload = QuarantineMembers();
  with_payload.emplace_back("payload", shape::OrNull(shape::Text()));
  one.answer = shape::Object(with_payload);
  routes.Add(std::move(one));

  Route replay = ListRoute("POST", "/quarantine/replay", "Takes quarantined records in again",
                           [&desk, busy = std::make_shared<std::atomic_flag>()](
                               const Request& request, const Reply& reply) {
                             AnswerReplay(desk, busy, request, reply);
                           });
  replay.takes = {"application/json"};
  replay.body = shape::Object({{"reason?", shape::Text()}, {"id?", shape::Text()}});
  replay.answer = ReplayShape();
  replay.max_body = 64 << 10;
  replay.patience = kReplayPatience;
  routes.Add(std::move(replay));
}

}  // namespace vitalake::serve
