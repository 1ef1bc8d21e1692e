// One generated Observation, and its FHIR JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace vitalake::ingest {

enum class ReadingKind : uint8_t { kPressure, kHeartRate, kOxygen, kTemperature };
enum class ReadingStatus : uint8_t { kFinal, kAmended, kCorrected, kEnteredInError };
enum class ReadingShape : uint8_t { kHome, kClinic };

// Values in hundredths of the kind's unit (mm[Hg], /min, %, Cel).
struct Reading {
  int64_t number = 0;      // gives the resource id
  int64_t identifier = 0;  // number that gives the identifier: another one for a resent reading
  int64_t patient = 0;     // index
  int64_t device = 0;
  int64_t version = 1;
  ReadingKind kind = ReadingKind::kPressure;
  ReadingStatus status = ReadingStatus::kFinal;
  ReadingShape shape = ReadingShape::kHome;
  Micros effective = 0;  // whole seconds unless `millis`
  Micros updated = 0;
  int64_t offset_minutes = 0;  // as it is written
  bool millis = false;
  bool device_type_named = false;  // home pressures say: an automatic cuff, at home
  bool diastolic_first = false;
  bool diastolic_absent = false;
  int64_t value = 0;  // systolic, for a pressure
  int64_t diastolic = 0;
};

// The resource id: a version 4 UUID, different for each number.
std::string ReadingId(uint64_t seed, int64_t number);

// Appends the resource as one line. `subject` is the JSON of the reference, quotes included.
void AppendReading(std::string& out, const Reading& reading, uint64_t seed,
                   std::string_view subject);

}  // namespace vitalake::ingest
