#include "clinical/bounds.h"

namespace vitalake::clinical {
namespace {

Result<Bounds> ReadPair(const YamlReader& yaml) {
  VL_TRY(const auto items, yaml.Items());
  if (items.size() != 2) return yaml.Wrong("must be [lowest, highest]");
  Bounds bounds;
  VL_TRY(bounds.low, items[0].Number());
  VL_TRY(bounds.high, items[1].Number());
  return bounds;
}

// Sets one end from the key that includes it or the key that does not.
Status ReadEnd(const YamlReader& yaml, std::string_view closed, std::string_view open, double& end,
               bool& is_open) {
  if (yaml.Has(closed) && yaml.Has(open)) {
    return yaml.Wrong("has both '" + std::string(closed) + "' and '" + std::string(open) + "'");
  }
  is_open = yaml.Has(open);
  if (!is_open && !yaml.Has(closed)) return {};
  VL_TRY(const YamlReader at, yaml.At(is_open ? open : closed));
  VL_TRY(end, at.Number());
  return {};
}

}  // namespace

Result<Bounds> ReadBounds(const YamlReader& yaml) {
  Bounds bounds;
  if (yaml.is_map()) {
    VL_RETURN_IF_ERROR(ReadEnd(yaml, "at_least", "above", bounds.low, bounds.low_open));
    VL_RETURN_IF_ERROR(ReadEnd(yaml, "at_most", "below", bounds.high, bounds.high_open));
  } else {
    VL_TRY(bounds, ReadPair(yaml));
  }
  if (bounds.low > bounds.high) return yaml.Wrong("the lower end is above the upper one");
  return bounds;
}

}  // namespace vitalake::clinical
