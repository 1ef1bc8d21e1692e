// Bounds: a range of numbers, each end open, closed or absent.
#pragma once

#include <limits>

#include "clinical/yaml_reader.h"

namespace vitalake::clinical {

struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   // low itself is outside
  bool high_open = false;  // high itself is outside

  // False for NaN.
  bool Contains(double value) const {
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  }
};

// Reads the keys above or at_least and below or at_most of a mapping (other keys are the caller's),
// or a list [low, high] with both ends inside.
Result<Bounds> ReadBounds(const YamlReader& yaml);

}  // namespace vitalake::clinical
