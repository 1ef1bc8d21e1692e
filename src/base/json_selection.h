// JsonSelection: the members a reader will look at, so that a parse can leave out all others.
//
//   JsonSelection kept;
//   const auto name = kept.Add(JsonSelection::kRoot, "name");
//   kept.Add(name, "family");
//   parser.ParsePadded(text, {.kept = &kept});   // {"name":[{"family":"x"}]} and nothing else
//
// A place stands for the objects reached by one path of member names; arrays on the way do not
// count. Scalars that are reached are always kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitalake {

// Built once, then read by any number of threads.
class JsonSelection {
 public:
  using Place = uint32_t;
  static constexpr Place kRoot = 0;           // the outermost object
  static constexpr Place kWhole = 1;          // objects of which all is kept
  static constexpr Place kNone = UINT32_MAX;  // not kept

  JsonSelection();
  JsonSelection(const JsonSelection&) = delete;
  JsonSelection& operator=(const JsonSelection&) = delete;

  // Keeps the member of that name of the objects at `object`, and those whose names go on with a
  // capital letter (FHIR's choice elements: "value" keeps "valueQuantity"). Returns where they are.
  Place Add(Place object, std::string_view name);
  // Keeps everything inside the values at `place`.
  void KeepWhole(Place place);
  bool keeps_all() const { return places_[kRoot].whole; }

  // Where the member `key` of an object at `object` is; kNone when it is left out. A key that
  // several names apply to is kept whole.
  Place Find(Place object, std::string_view key) const;
  // Number of places; each is below it.
  size_t size() const { return places_.size(); }
  // Differs from that of any other selection of this process.
  uint64_t id() const { return id_; }

 private:
  struct Object {
    bool whole = false;
    std::vector<std::pair<std::string, Place>> members;
  };
  std::vector<Object> places_;
  uint64_t id_;
};

}  // namespace vitalake
