// How well the detectors find things; benchmarks/monitor/detection.cc sets others beside them.
#include <gtest/gtest.h>

#include "monitor/home_simulation_fixture.h"

namespace vitalake::monitor {
namespace {

TEST(DetectionTest, FewFalseEpisodesAndMostSpikesAndShiftsFound) {
  int readings = 0, false_episodes = 0, spikes = 0, shifts = 0, patients = 0;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    for (const HomePatient& patient : SimulateHome(seed)) {
      const Found found = Measure(patient, MonitorFlags);
      readings += found.clean_readings;
      false_episodes += found.false_episodes;
      spikes += found.spike;
      shifts += found.shift;
      ++patients;
    }
  }
  EXPECT_LE(1000.0 * false_episodes / readings, 6.0);
  EXPECT_GE(1.0 * spikes / patients, 0.96);
  EXPECT_GE(1.0 * shifts / patients, 0.92);
}

TEST(DetectionTest, NoDetectorLooksAhead) {
  const HomePatient patient = SimulateHome(7).front();
  const std::vector<bool> whole = MonitorFlags(WithSpike(patient));
  for (const size_t length : {20, 50, 100}) {
    std::vector<double> cut = WithSpike(patient);
    cut.resize(length);
    const std::vector<bool> flags = MonitorFlags(cut);
    EXPECT_TRUE(std::equal(flags.begin(), flags.end(), whole.begin())) << length;
  }
}

}  // namespace
}  // namespace vitalake::monitor
