#include "ingest/alerts/webhook_sink.h"

#include <gtest/gtest.h>

namespace vitalake::ingest {
namespace {

// Expected: hmac.new(b"Jefe", b'1700000000.{"a":1}', hashlib.sha256).hexdigest() in Python.
TEST(WebhookSignatureTest, IsHmacSha256OfTimeAndBody) {
  EXPECT_EQ(WebhookSignature("Jefe", "1700000000", R"({"a":1})"),
            "sha256=fa5f6481efc59da48b19c9dc10196c9953e5651f8304b3a318b6b87d70272e0a");
}

TEST(WebhookSinkTest, TakesOnlyWebAddresses) {
  SystemClock clock;
  EXPECT_TRUE(WebhookSink::Open({"https://example.org/hook", "", ""}, clock).has_value());
  for (const char* url : {"", "example.org/hook", "file:///etc/passwd", "ftp://example.org"}) {
    const auto sink = WebhookSink::Open({url, "", ""}, clock);
    ASSERT_FALSE(sink.has_value()) << url;
    EXPECT_EQ(sink.error().kind, ErrorKind::kInvalidArgument) << url;
  }
}

}  // namespace
}  // namespace vitalake::ingest
