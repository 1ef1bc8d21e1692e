#include "base/json_selection.h"

#include <atomic>

namespace vitalake {
namespace {

bool Applies(std::string_view name, std::string_view key) {
  if (!key.starts_with(name)) return false;
  return key.size() == name.size() || (key[name.size()] >= 'A' && key[name.size()] <= 'Z');
}

uint64_t NextId() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

JsonSelection::JsonSelection() : places_(2), id_(NextId()) { places_[kWhole].whole = true; }

JsonSelection::Place JsonSelection::Add(Place object, std::string_view name) {
  if (places_[object].whole) return kWhole;
  for (const auto& [known, place] : places_[object].members) {
    if (known == name) return places_[place].whole ? kWhole : place;
  }
  const auto place = static_cast<Place>(places_.size());
  places_[object].members.emplace_back(name, place);
  places_.emplace_back();
  return place;
}

void JsonSelection::KeepWhole(Place place) { places_[place].whole = true; }

JsonSelection::Place JsonSelection::Find(Place object, std::string_view key) const {
  if (places_[object].whole) return kWhole;
  Place found = kNone;
  for (const auto& [name, place] : places_[object].members) {
    if (!Applies(name, key)) continue;
    if (found != kNone) return kWhole;
    found = places_[place].whole ? kWhole : place;
  }
  return found;
}

}  // namespace vitalake
