#include <algorithm>
#include <map>
#include <set>

#include "ingest/generate/generate.h"
#include "ingest/generate/generate_fixture.h"

namespace vitalake::ingest {
namespace {

class AnomalyTest : public ::testing::Test {
 protected:
  struct Label {
    std::string kind, id, version, patient, of;
    int64_t event = 0, line = 0, delay_seconds = 0;
    double clean_systolic = 0;
    Micros from = 0, until = 0;
  };

  static constexpr int kCount = 30'000;
  static constexpr double kShare = 0.05;

  static void SetUpTestSuite() {
    const Output out = Observations({.count = kCount, .patients = 300, .anomaly_share = kShare});
    lines_ = new std::vector<Seen>(SeeAll(out.text));
    labels_ = new std::vector<Label>();
    JsonParser parser;
    for (const std::string& line : Lines(out.labels)) {
      const JsonValue v = parser.Parse(line).value();
      Label label{.kind = std::string(v.String("kind")),
                  .id = std::string(v.String("id")),
                  .version = std::string(v.String("version")),
                  .patient = std::string(v.String("patient")),
                  .of = std::string(v.String("of"))};
      label.event = *v.Find("event").AsInt();
      if (v.Find("line")) label.line = *v.Find("line").AsInt();
      if (v.Find("delay_seconds")) label.delay_seconds = *v.Find("delay_seconds").AsInt();
      if (v.Find("clean_systolic")) label.clean_systolic = *v.Find("clean_systolic").AsDouble();
      if (v.Find("from")) label.from = Moment(v.String("from"));
      if (v.Find("until")) label.until = Moment(v.String("until"));
      labels_->push_back(label);
    }
    EXPECT_EQ(out.summary.labels, static_cast<int64_t>(labels_->size()));
  }
  static void TearDownTestSuite() {
    delete lines_;
    delete labels_;
  }

  static const Seen& LineOf(const Label& label) {
    return lines_->at(static_cast<size_t>(label.line - 1));
  }
  static std::vector<Label> Of(std::string_view kind) {
    std::vector<Label> found;
    std::ranges::copy_if(*labels_, std::back_inserter(found),
                         [&](const Label& label) { return label.kind == kind; });
    EXPECT_GT(found.size(), 5u) << kind;
    return found;
  }
  // The last line before `label`'s with that id.
  static const Seen& EarlierOf(const Label& label, const std::string& id) {
    for (auto line = static_cast<size_t>(label.line - 1); line-- > 0;) {
      if (lines_->at(line).id == id) return lines_->at(line);
    }
    ADD_FAILURE() << "no earlier " << id;
    return LineOf(label);
  }

  static std::vector<Seen>* lines_;
  static std::vector<Label>* labels_;
};

std::vector<Seen>* AnomalyTest::lines_ = nullptr;
std::vector<AnomalyTest::Label>* AnomalyTest::labels_ = nullptr;

TEST_F(AnomalyTest, TheShareIsAsAsked) {
  EXPECT_EQ(lines_->size(), static_cast<size_t>(kCount));
  EXPECT_NEAR(static_cast<double>(labels_->size()), kCount * kShare, kCount * kShare * 0.1);
  EXPECT_EQ(Observations({.count = 1000}).labels, "");
}

TEST_F(AnomalyTest, LabelsNameTheirLines) {
  std::set<int64_t> labelled;
  for (const Label& label : *labels_) {
    if (label.kind == "dropout") continue;
    EXPECT_TRUE(labelled.insert(label.line).second) << "two labels for line " << label.line;
    EXPECT_EQ(LineOf(label).id, label.id);
    EXPECT_EQ(LineOf(label).version, label.version);
    EXPECT_EQ(LineOf(label).patient, label.patient);
  }
  std::set<std::string> ids;
  for (size_t i = 0; i < lines_->size(); ++i) {
    if (labelled.contains(static_cast<int64_t>(i + 1))) continue;
    const Seen& seen = lines_->at(i);
    EXPECT_TRUE(ids.insert(seen.id).second) << "a repeat without label in line " << i + 1;
    EXPECT_EQ(seen.identifier, "urn:uuid:" + seen.id);
    EXPECT_EQ(seen.version, "1");
    EXPECT_EQ(seen.status, "final");
    EXPECT_LE(seen.updated_at() - seen.effective_at(), 1'206'000'000);
  }
}

TEST_F(AnomalyTest, Spikes) {
  for (const Label& label : Of("spike")) {
    const double off = std::abs(LineOf(label).systolic - label.clean_systolic);
    EXPECT_GE(off, 35);
    EXPECT_LE(off, 60);
  }
}

TEST_F(AnomalyTest, ShiftsAndDriftsAreSuccessiveReadingsOfOnePatient) {
  for (const std::string_view kind : {"shift", "drift"}) {
    std::map<int64_t, std::vector<Label>> events;
    for (const Label& label : Of(kind)) events[label.event].push_back(label);
    size_t longest = 0;
    for (const auto& [event, labels] : events) {
      longest = std::max(longest, labels.size());
      double last = 0;
      for (const Label& label : labels) {
        EXPECT_EQ(label.patient, labels[0].patient);
        const double off = LineOf(label).systolic - label.clean_systolic;
        if (kind == "shift") {
          EXPECT_GE(off, 20);
          EXPECT_LE(off, 30);
          EXPECT_EQ(off, last > 0 ? last : off);
        } else {
          EXPECT_GT(off, last);
          EXPECT_LE(off, 40);
        }
        last = off;
      }
      // Between its first and last line the patient sends nothing unlabelled.
      std::set<int64_t> own;
      for (const Label& label : *labels_) own.insert(label.line);
      for (int64_t line = labels.front().line; line <= labels.back().line; ++line) {
        if (lines_->at(static_cast<size_t>(line - 1)).patient == labels[0].patient) {
          EXPECT_TRUE(own.contains(line)) << line;
        }
      }
    }
    EXPECT_GE(longest, kind == "shift" ? 8u : 12u);
    EXPECT_LE(longest, kind == "shift" ? 16u : 20u);
  }
}

TEST_F(AnomalyTest, DropoutsAreSilent) {
  std::set<int64_t> repeats;
  for (const Label& label : *labels_) {
    if (!label.of.empty()) repeats.insert(label.line);
  }
  for (const Label& label : Of("dropout")) {
    EXPECT_GE(label.until - label.from, int64_t{7} * 86'400'000'000);
    EXPECT_LE(label.until - label.from, int64_t{14} * 86'400'000'000);
    for (size_t i = 0; i < lines_->size(); ++i) {
      const Seen& seen = lines_->at(i);
      if (seen.patient != label.patient || repeats.contains(static_cast<int64_t>(i + 1))) continue;
      EXPECT_FALSE(seen.updated_at() > label.from && seen.updated_at() < label.until)
          << label.patient << " speaks in line " << i + 1;
    }
  }
}

TEST_F(AnomalyTest, Duplicates) {
  for (const Label& label : Of("duplicate")) {
    EXPECT_EQ(label.id, label.of);
    EXPECT_EQ(LineOf(label).text, EarlierOf(label, label.of).text);
  }
}

TEST_F(AnomalyTest, ResendsHaveANewIdOnly) {
  std::set<std::string> ids;
  for (const Label& label : Of("resend")) {
    const Seen& now = LineOf(label);
    const Seen& before = EarlierOf(label, label.of);
    EXPECT_NE(now.id, before.id);
    EXPECT_TRUE(ids.insert(now.id).second);
    EXPECT_EQ(now.identifier, before.identifier);
    EXPECT_EQ(now.effective, before.effective);
    EXPECT_EQ(now.components, before.components);
    EXPECT_EQ(now.patient, before.patient);
  }
}

TEST_F(AnomalyTest, OutOfOrderReadingsAreLate) {
  for (const Label& label : Of("out_of_order")) {
    const Seen& seen = LineOf(label);
    const Micros delay = seen.updated_at() - seen.effective_at();
    EXPECT_GE(delay, (label.delay_seconds + 5) * 1'000'000);
    EXPECT_LE(delay, (label.delay_seconds + 1206) * 1'000'000);
    EXPECT_GE(label.delay_seconds, 3600);
    EXPECT_LE(label.delay_seconds, 48 * 3600);
  }
}

TEST_F(AnomalyTest, CorrectionsAndRetractionsAreNextVersions) {
  for (const std::string_view kind : {"correction", "retraction"}) {
    for (const Label& label : Of(kind)) {
      const Seen& now = LineOf(label);
      const Seen& before = EarlierOf(label, label.of);
      EXPECT_EQ(now.id, label.of);
      EXPECT_EQ(std::stoi(now.version), std::stoi(before.version) + 1);
      EXPECT_GT(now.updated_at(), before.updated_at());
      EXPECT_EQ(now.effective, before.effective);
      EXPECT_NE(before.status, "entered-in-error");
      if (kind == "retraction") {
        EXPECT_EQ(now.status, "entered-in-error");
        EXPECT_EQ(now.components, before.components);
      } else {
        EXPECT_TRUE(now.status == "amended" || now.status == "corrected");
        EXPECT_NE(now.systolic, before.systolic);
        EXPECT_EQ(label.clean_systolic, before.systolic);
      }
    }
  }
}

TEST_F(AnomalyTest, TheRestIsAsWithoutThem) {
  const std::vector<Seen> clean = SeeAll(Observations({.count = kCount, .patients = 300}).text);
  std::map<int64_t, Label> by_line;
  for (const Label& label : *labels_) by_line[label.line] = label;
  int same = 0;
  for (size_t i = 0; i < clean.size(); ++i) {
    if (clean[i].patient != lines_->at(i).patient) continue;  // a silent one's turn
    const auto label = by_line.find(static_cast<int64_t>(i + 1));
    if (label == by_line.end()) {
      EXPECT_EQ(clean[i].text, lines_->at(i).text);
      ++same;
    } else if (label->second.of.empty() && label->second.delay_seconds == 0) {
      EXPECT_EQ(clean[i].systolic, label->second.clean_systolic);
    }
  }
  EXPECT_GT(same, kCount / 2);
}

}  // namespace
}  // namespace vitalake::ingest
