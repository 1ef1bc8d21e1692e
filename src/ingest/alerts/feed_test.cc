#include "ingest/alerts/feed.h"

#include <gtest/gtest.h>

#include <thread>

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

std::vector<PublishedAlert> Alerts(int64_t first, int64_t count) {
  std::vector<PublishedAlert> alerts(static_cast<size_t>(count));
  for (PublishedAlert& alert : alerts) alert.sequence = first++;
  return alerts;
}

TEST(AlertFeedTest, EachListenerHearsWhatIsPublishedSince) {
  AlertFeed feed;
  feed.Publish(Alerts(0, 1));
  const auto one = feed.Subscribe(10);
  feed.Publish(Alerts(1, 2));
  const auto two = feed.Subscribe(10);
  feed.Publish(Alerts(3, 1));
  const auto heard = one->Take(0ms);
  ASSERT_EQ(heard.size(), 3);
  EXPECT_EQ(heard.front()->sequence, 1);
  EXPECT_EQ(two->Take(0ms).size(), 1);
  EXPECT_TRUE(one->Take(0ms).empty());
  EXPECT_EQ(feed.published(), 4);
}

TEST(AlertFeedTest, ASlowListenerLosesTheOldestAndKnowsIt) {
  AlertFeed feed;
  const auto slow = feed.Subscribe(3);
  feed.Publish(Alerts(0, 5));
  const auto heard = slow->Take(0ms);
  ASSERT_EQ(heard.size(), 3);
  EXPECT_EQ(heard.front()->sequence, 2);
  EXPECT_EQ(slow->missed(), 2);
}

TEST(AlertFeedTest, TakeWaitsUntilSomethingComesOrItIsStopped) {
  AlertFeed feed;
  const auto listener = feed.Subscribe(3);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(listener->Take(1h, stop.get_token()).empty());
  std::jthread publisher([&] { feed.Publish(Alerts(7, 1)); });
  EXPECT_EQ(listener->Take(1h).front()->sequence, 7);
}

TEST(PublishedAlertTest, Durations) {
  EXPECT_EQ(IsoDuration(0), "PT0S");
  EXPECT_EQ(IsoDuration(900), "PT15M");
  EXPECT_EQ(IsoDuration(3661), "PT1H1M1S");
  EXPECT_EQ(IsoDuration(86'400), "PT24H");
}

}  // namespace
}  // namespace vitalake::ingest
