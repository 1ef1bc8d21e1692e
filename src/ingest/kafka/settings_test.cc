#include "ingest/kafka/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/kafka/client.h"
#include "ingest/kafka/producer.h"

namespace vitalake::ingest {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;

KafkaOptions EventHubs() {
  KafkaOptions options;
  options.brokers = "ns.servicebus.windows.net:9093";
  options.topic = "observations";
  options.event_hubs = true;
  options.security.connection_string = "Endpoint=sb://ns/;SharedAccessKey=k";
  return options;
}

// Source: Azure Event Hubs, "Recommended configurations for Apache Kafka clients".
TEST(KafkaSettings, EventHubsLoginAndLimits) {
  const auto consumer = ConsumerSettings(EventHubs(), "me");
  ASSERT_TRUE(consumer.has_value()) << consumer.error().ToString();
  EXPECT_THAT(*consumer,
              IsSupersetOf({Pair("security.protocol", "sasl_ssl"), Pair("sasl.mechanisms", "PLAIN"),
                            Pair("sasl.username", "$ConnectionString"),
                            Pair("sasl.password", "Endpoint=sb://ns/;SharedAccessKey=k"),
                            Pair("metadata.max.age.ms", "180000"),
                            Pair("connections.max.idle.ms", "180000"),
                            Pair("socket.keepalive.enable", "true"),
                            Pair("session.timeout.ms", "30000"), Pair("group.instance.id", "me")}));
  const auto producer = ProducerSettings(EventHubs());
  ASSERT_TRUE(producer.has_value());
  EXPECT_THAT(*producer,
              IsSupersetOf({Pair("compression.codec", "gzip"), Pair("message.max.bytes", "1000000"),
                            Pair("request.timeout.ms", "60000")}));
}

TEST(KafkaSettings, AreTakenByTheClient) {
  for (const auto& settings :
       {ConsumerSettings(EventHubs(), "me"), ProducerSettings(EventHubs())}) {
    const auto conf = MakeKafkaConf(*settings);
    EXPECT_TRUE(conf.has_value()) << conf.error().ToString();
  }
  KafkaOptions oauth = EventHubs();
  oauth.security = {};
  oauth.security.mechanism = "oauthbearer";
  oauth.security.username = "client";
  oauth.security.password = "secret";
  oauth.security.token_url = "https://login.example/token";
  oauth.security.scope = "https://ns/.default";
  // Debian's librdkafka is built without OIDC and says so when it is given these.
  const auto settings = ConsumerSettings(oauth, "me");
  ASSERT_TRUE(settings.has_value()) << settings.error().ToString();
  EXPECT_THAT(*settings, IsSupersetOf({Pair("sasl.mechanisms", "OAUTHBEARER"),
                                       Pair("sasl.oauthbearer.method", "oidc"),
                                       Pair("sasl.oauthbearer.client.id", "client")}));
}

TEST(KafkaSettings, NameWhatIsMissing) {
  KafkaOptions options = EventHubs();
  options.security.username = "someone";
  EXPECT_THAT(ClientSettings(options).error().message, HasSubstr("takes the place of username"));
  options.security = {};
  options.security.mechanism = "oauthbearer";
  EXPECT_THAT(ClientSettings(options).error().message, HasSubstr("token_url"));
  options.security = {};
  EXPECT_THAT(ClientSettings(options).error().message, HasSubstr("connection_string"));
}

TEST(KafkaSettings, PlainByDefault) {
  KafkaOptions options;
  options.brokers = "localhost:9092";
  EXPECT_EQ(ClientSettings(options)->at("security.protocol"), "plaintext");
}

TEST(KafkaUrl, NamesBrokersAndTopic) {
  const auto options = ParseKafkaUrl("kafka://a:1,b:2/topic");
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->brokers, "a:1,b:2");
  EXPECT_EQ(options->topic, "topic");
  for (const char* wrong : {"kafka://a:1", "kafka://a:1/", "kafka:///t", "kafka://a:1/t/u"}) {
    EXPECT_FALSE(ParseKafkaUrl(wrong).has_value()) << wrong;
  }
}

TEST(PatientKeyTest, IsTheSubjectElseTheId) {
  EXPECT_EQ(PatientKey(R"({"id":"o1","subject":{"reference":"Patient/p1"}})"), "p1");
  EXPECT_EQ(PatientKey(R"({"resourceType":"Patient","id":"p2"})"), "p2");
  EXPECT_EQ(PatientKey("no JSON"), "");
}

}  // namespace
}  // namespace vitalake::ingest
