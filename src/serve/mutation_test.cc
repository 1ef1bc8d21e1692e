// What comes from the network, changed at random: it is taken, or refused with an error, and what
// was taken means the same when it is written and read again.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>

#include "base/mutation_fixture.h"
#include "base/percent.h"
#include "ingest/alerts/place.h"
#include "serve/action_body.h"
#include "serve/fhir/search.h"
#include "serve/fhir/search_sql.h"
#include "serve/http/fields.h"
#include "serve/http/gzip.h"
#include "serve/http/login.h"
#include "serve/http/routes.h"
#include "serve/http/server.h"
#include "serve/http/server_fixture.h"
#include "serve/page_cursor.h"
#include "serve/postgres/command.h"
#include "serve/postgres/lexer.h"
#include "serve/postgres/message.h"
#include "serve/postgres/types.h"
#include "serve/sql_request.h"

namespace vitalake::serve {
namespace {

constexpr uint64_t kRounds = 1'000;
constexpr uint64_t kSocketRounds = 200;

const std::vector<std::string> kTargets = {"/",
                                           "/tables/silver.patient?history=3",
                                           "/fhir/Patient?name:exact=a%20b&_count=10",
                                           "/patients/p%2F1/settings",
                                           "/alerts?state=on&severity=high,critical#x",
                                           "/a/b?=&&x=%41+%2b"};
const std::vector<std::string> kUrlWords = {"%", "%2", "%2F", "%00", "/",    "//",   "?",
                                            "&", "=",  "+",   "..",  "{id}", "\xff", ";"};

TEST(MutationTest, OfARequestTarget) {
  Routes routes;
  for (const char* const path : {"/", "/tables/{name}", "/fhir/Patient", "/fhir/Patient/{id}",
                                 "/patients/{id}/settings", "/alerts", "/a/{b}"}) {
    routes.Add(MakeRoute("GET", path, "", {}));
  }
  Mutations(kTargets, kUrlWords).ForEach(kRounds, [&](std::string_view target) {
    Request request;
    request.method = "GET";
    EXPECT_EQ(PercentDecoded(PercentEncoded(target), false), target);
    if (!ParseTarget(target, request)) return;
    EXPECT_TRUE(request.path.starts_with('/'));
    const Routes::Match match = routes.Find(request);
    for (const auto& [name, value] : request.parameters) {
      EXPECT_NE(match.route, nullptr);
      EXPECT_FALSE(value.empty()) << name;
    }
  });
}

TEST(MutationTest, OfHeaderFields) {
  const HttpLogin login(std::vector<HttpUser>{{"anna", "0123456789abcdef"}});
  const std::string cookie = *login.Cookie("0123456789abcdef", 0);
  // The token needs more changes than are made, and the cookie is too old.
  const std::vector<std::string> fields = {"Bearer 0123456789ABCDEF", "vitalake_session=" + cookie,
                                           "a=b; vitalake_session=1." + std::string(64, '0'),
                                           "W/\"a\", \"b,c\"", "gzip;q=0.5, *;q=0"};
  Mutations(fields, {"\"", "W/", ",", ";", "=", "q=0", "*", " ", "\t", ".", "vitalake_session="})
      .ForEach(kRounds, [&](std::string_view field) {
        Request request;
        for (const char* const name : {"authorization", "if-none-match"}) {
          request.headers.emplace_back(name, field);
        }
        EXPECT_FALSE(login.Admits(request, HttpLogin::kCookieTime));
        (void)KnowsTag(request, "\"b,c\"");
        (void)TakesGzip(field);
        Request with_cookie;
        with_cookie.headers.emplace_back("cookie", field);
        EXPECT_FALSE(login.Admits(with_cookie, HttpLogin::kCookieTime));
      });
}

TEST(MutationTest, OfABodyInJson) {
  const std::vector<std::string> bodies = {
      R"({"query":"SELECT $1","parameters":[null,true,1,-2.5,"x"],"format":"csv","limit":10})",
      R"({"actor":"nurse-7","reason":"called","minutes":30})"};
  Mutations(bodies, {"{", "}", "[", "]", "\"", "\\u", "1e999", "-", "null", ",", ":"})
      .ForEach(kRounds, [](std::string_view body) {
        Request request;
        request.body = body;
        if (const auto sql = ReadSqlRequest(request)) {
          EXPECT_FALSE(sql->query.empty());
          EXPECT_GT(sql->limit.value_or(1), 0);
        }
        JsonParser parser;
        if (const auto action = ReadActionBody(parser, request, {})) {
          EXPECT_FALSE(action->actor.empty());
        }
      });
}

TEST(MutationTest, OfALastEventId) {
  const ingest::AlertPositions known = {{"vitals/http/0/0", 17}, {"vitals/topic/3/1", 5}};
  const std::string place = ingest::FormatAlertPlace(known);
  Mutations({place, "~" + place, ingest::FormatAlertPlace({{"vitals/topic/3/1", 2}})},
            {".", "~", "-1", "0", "18446744073709551616", "%"})
      .ForEach(kRounds, [&](std::string_view text) {
        const auto read = ingest::ParseAlertPlace(text, known);
        if (!read) return;
        for (const auto& [partition, position] : *read) {
          const auto end = known.find(partition);
          ASSERT_NE(end, known.end());
          EXPECT_GE(position, 0);
          EXPECT_LE(position, end->second);
        }
        EXPECT_EQ(ingest::ParseAlertPlace(ingest::FormatAlertPlace(*read), known), *read);
      });
}

TEST(MutationTest, OfACursor) {
  Mutations({EncodeCursor({"2026-11-26T13:00:00Z", "run-1", "a/b.json"}), EncodeCursor({""})},
            {"-", "_", "=", "A", "\xff"})
      .ForEach(kRounds, [](std::string_view text) {
        const auto parts = DecodeCursor(text, 0);
        if (parts) {
          EXPECT_EQ(DecodeCursor(EncodeCursor(*parts), 0), *parts);
        }
      });
}

TEST(MutationTest, OfAFhirSearch) {
  const std::vector<std::string> searches = {
      "family:exact=Doe,O%5C,Neil&gender=male&birthdate=ge1950-01-01&_count=10&_sort=-birthdate",
      "patient=Patient/p1&code=http://loinc.org%7C85354-9&date=ge2026-01-01T00:00:00Z&_total=none",
      "value-quantity=gt5.4e1%7Chttp://unitsofmeasure.org%7Cmm%5BHg%5D&_elements=id,code",
      "component-code-value-quantity=8480-6$ge140&_id=a,b&_lastUpdated=lt2026&combo-code=x"};
  Mutations(searches, {"&", "=", ",", "$", "|", "\\", ":missing", ":not", "ge", "1e400", "%00", "-",
                       "_count=0", "9999-12-31", "_include=*"})
      .ForEach(kRounds, [](std::string_view text) {
        Request request;
        if (!ParseTarget("/?" + std::string(text), request)) return;
        for (const FhirType type : {FhirType::kPatient, FhirType::kObservation}) {
          for (const bool strict : {false, true}) {
            const auto search = ReadFhirSearch(type, request.query, strict);
            if (!search) {
              EXPECT_EQ(search.error().kind, ErrorKind::kInvalidArgument)
                  << search.error().ToString();
              continue;
            }
            const auto sql = CompileFhirSearch(*search, 0);
            // What was asked is in the parameters, never in the text: quotes there are ours.
            if (sql) {
              EXPECT_EQ(std::ranges::count(sql->text, '\'') % 2, 0);
            }
          }
        }
      });
}

TEST(MutationTest, OfAPostgresMessage) {
  std::vector<std::string> corpus(4);
  MessageWriter(corpus[0]).Text("s1").Text("SELECT $1").Int16(1).Int32(23);
  MessageWriter(corpus[1]).Text("").Text("s1").Int16(1).Int16(1).Int16(1).Int32(4).Int32(7);
  MessageWriter(corpus[2]).Int32(kPostgresVersion).Text("user").Text("anna").Byte(0);
  MessageWriter(corpus[3]).Int64(-5).Bytes("abc").Int32(-1);
  Mutations(corpus, {std::string(1, '\0'), "\x7f\xff\xff\xff", "\xff\xff\xff\xff"})
      .ForEach(kRounds, [](std::string_view body) {
        MessageReader reader(body);
        size_t taken = 0;
        while (!reader.ran_out() && !reader.rest().empty()) {
          const std::string_view text = reader.Text();
          const int16_t count = reader.Int16();
          const std::string_view bytes = reader.Bytes(reader.Int32());
          (void)reader.Int64();
          (void)reader.Byte();
          taken += text.size() + bytes.size();
          for (int32_t oid : {16, 17, 20, 21, 23, 25, 700, 701, 1082, 1083, 1114, 1184, 1186, 1700,
                              2950, 1007, int32_t{count}}) {
            for (const PgFormat format : {PgFormat::kText, PgFormat::kBinary}) {
              (void)ReadPgParameter(bytes, format, oid);
              (void)ReadPgParameter(text, format, oid);
            }
          }
        }
        EXPECT_LE(taken, body.size());
        EXPECT_FALSE(reader.Whole() && reader.ran_out());
      });
}

TEST(MutationTest, OfAPostgresStatement) {
  const std::vector<std::string> statements = {
      "SELECT $1::int, 'it''s', E'a\\'b', $tag$x$tag$, \"a b\" -- end\n/* a /* b */ */ FROM t; "
      "SHOW x",
      "DECLARE c BINARY CURSOR WITH HOLD FOR SELECT 1; FETCH FORWARD 10 FROM c",
      "COPY (SELECT 1) TO STDOUT WITH (FORMAT csv, HEADER true, DELIMITER ';')",
      "SET LOCAL search_path TO silver, gold; PREPARE p (int, text) AS SELECT $1; EXECUTE p(1, "
      "'x')"};
  Mutations(statements,
            {"'", "\"", "$$", "$1", ";", "(", ")", "--", "/*", "*/", "\\", "E'", "\xff"})
      .ForEach(kRounds, [](std::string_view sql) {
        size_t end = 0;
        for (const SqlToken& token : TokensOf(sql)) {
          EXPECT_GE(token.begin, end);
          end = token.begin + token.text.size();
          EXPECT_EQ(sql.substr(token.begin, token.text.size()), token.text);
        }
        EXPECT_LE(end, sql.size());
        for (const std::string_view one : SplitStatements(sql)) (void)ParsePgCommand(one);
      });
}

// Bytes on a socket: whatever came, the next client is answered.
TEST(MutationTest, OfARequestOnTheWire) {
  SystemClock clock;
  Routes routes;
  Route echo = MakeRoute("POST", "/echo", "", [](Request request, const Reply& reply) {
    reply({200, "text/plain", std::move(request.body)});
  });
  echo.max_body = 1'000;
  routes.Add(std::move(echo));
  routes.Add(MakeRoute("GET", "/livez", "", [](const Request&, const Reply& reply) {
    reply({200, "text/plain", "ok"});
  }));
  HttpOptions options;
  options.address = "127.0.0.1:0";
  options.header_time = options.body_time = std::chrono::milliseconds(300);
  options.idle_time = std::chrono::milliseconds(300);
  auto server = HttpServer::Open(options, std::move(routes), clock, {});
  ASSERT_TRUE(server.has_value());
  (*server)->Start();
  const std::string close = "Connection: close\r\n";
  const std::vector<std::string> requests = {
      "GET /livez HTTP/1.1\r\nHost: localhost\r\n" + close + "\r\n",
      "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + close + "Content-Length: 5\r\n\r\nhello",
      "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + close +
          "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" +
          close + "\r\nhi",
      "GET /livez HTTP/1.0\r\n\r\n"};
  Mutations mutations(requests,
                      {"\r\n", "\r\n\r\n", "\n", ":", " ", "HTTP/9.9", "Content-Length: 7\r\n",
                       "Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n", "\xff"});
  mutations.ForEach(kSocketRounds, [&](std::string_view bytes) {
    RawClient client((*server)->url());
    client.Send(bytes);
    client.HalfClose();
    const std::string& answer = client.ReadAll();
    EXPECT_TRUE(client.closed());
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.")) << answer;
    RawClient next((*server)->url());
    next.Send(requests[0]);
    EXPECT_THAT(next.ReadAll(), testing::EndsWith("\r\n\r\nok"));
  });
}

}  // namespace
}  // namespace vitalake::serve
