#include "ingest/generate/reading.h"

#include "ingest/generate/random.h"
#include "ingest/generate/text.h"

namespace vitalake::ingest {
namespace {

std::string_view StatusText(ReadingStatus status) {
  switch (status) {
    case ReadingStatus::kFinal:
      return "final";
    case ReadingStatus::kAmended:
      return "amended";
    case ReadingStatus::kCorrected:
      return "corrected";
    case ReadingStatus::kEnteredInError:
      return "entered-in-error";
  }
  return "unknown";
}

struct Level {
  std::string_view code;
  std::string_view display;
};

// What a device would say of a value; `low` and so on in hundredths.
Level LevelOf(int64_t value, int64_t low, int64_t high, int64_t critical) {
  if (value < low) return {"L", "Low"};
  if (value < high) return {"N", "Normal"};
  if (value < critical) return {"H", "High"};
  return {"HH", "Critical high"};
}

void AppendInterpretation(std::string& out, const Level& level) {
  out +=
      R"(,"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":")";
  out += level.code;
  out += R"(","display":")";
  out += level.display;
  out += R"("}]}])";
}

void AppendQuantity(std::string& out, int64_t hundredths, std::string_view unit,
                    std::string_view code) {
  out += R"("valueQuantity":{"value":)";
  AppendHundredths(out, hundredths);
  out += R"(,"unit":")";
  out += unit;
  out += R"(","system":"http://unitsofmeasure.org","code":")";
  out += code;
  out += R"("})";
}

std::string_view PressureUnit(ReadingShape shape) {
  return shape == ReadingShape::kHome ? "mmHg" : "mm[Hg]";
}

void AppendSystolic(std::string& out, const Reading& reading) {
  out +=
      reading.shape == ReadingShape::kHome
          ? R"({"code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic blood pressure"},{"system":"http://snomed.info/sct","code":"271649006","display":"Systolic blood pressure"},{"system":"http://example.org/devices/clinical-codes","code":"bp-s","display":"Systolic blood pressure"}]},)"
          : R"({"code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic Blood Pressure"}],"text":"Systolic Blood Pressure"},)";
  AppendQuantity(out, reading.value, PressureUnit(reading.shape), "mm[Hg]");
  AppendInterpretation(out, LevelOf(reading.value, 9000, 14'000, 18'000));
  out += '}';
}

void AppendDiastolic(std::string& out, const Reading& reading) {
  out +=
      reading.shape == ReadingShape::kHome
          ? R"({"code":{"coding":[{"system":"http://loinc.org","code":"8462-4","display":"Diastolic blood pressure"}]},)"
          : R"({"code":{"coding":[{"system":"http://loinc.org","code":"8462-4","display":"Diastolic Blood Pressure"}],"text":"Diastolic Blood Pressure"},)";
  if (reading.diastolic_absent) {
    out +=
        R"("dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"not-performed","display":"Not Performed"}]}})";
    return;
  }
  AppendQuantity(out, reading.diastolic, PressureUnit(reading.shape), "mm[Hg]");
  AppendInterpretation(out, LevelOf(reading.diastolic, 5000, 9000, 12'000));
  out += '}';
}

void AppendComponents(std::string& out, const Reading& reading) {
  out += R"(,"component":[)";
  if (reading.diastolic_first) {
    AppendDiastolic(out, reading);
    out += ',';
    AppendSystolic(out, reading);
  } else {
    AppendSystolic(out, reading);
    out += ',';
    AppendDiastolic(out, reading);
  }
  out += ']';
}

void AppendSingleValue(std::string& out, const Reading& reading) {
  out += ',';
  if (reading.kind == ReadingKind::kHeartRate) {
    AppendQuantity(out, reading.value, "beats/minute", "/min");
    AppendInterpretation(out, LevelOf(reading.value, 5000, 10'000, 13'000));
  } else if (reading.kind == ReadingKind::kOxygen) {
    AppendQuantity(out, reading.value, "%", "%");
    AppendInterpretation(out, LevelOf(reading.value, 9400, 10'100, 10'100));
  } else {
    AppendQuantity(out, reading.value, "Cel", "Cel");
    AppendInterpretation(out, LevelOf(reading.value, 3550, 3800, 4000));
  }
}

std::string_view CodeOf(const Reading& reading) {
  switch (reading.kind) {
    case ReadingKind::kPressure:
      return reading.shape == ReadingShape::kHome
                 ? R"({"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure panel with all children optional"}],"text":"Blood pressure systolic & diastolic"})"
                 : R"({"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood Pressure"}],"text":"Blood Pressure"})";
    case ReadingKind::kHeartRate:
      return R"({"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}],"text":"Heart rate"})";
    case ReadingKind::kOxygen:
      return R"({"coding":[{"system":"http://loinc.org","code":"2708-6","display":"Oxygen saturation in Arterial blood"},{"system":"http://loinc.org","code":"59408-5","display":"Oxygen saturation in Arterial blood by Pulse oximetry"}]})";
    case ReadingKind::kTemperature:
      return R"({"coding":[{"system":"http://loinc.org","code":"8310-5","display":"Body temperature"}],"text":"Body temperature"})";
  }
  return "{}";
}

void AppendMeta(std::string& out, const Reading& reading) {
  out += R"("meta":{"versionId":")";
  AppendInt(out, reading.version);
  out += R"(","lastUpdated":")";
  AppendDateTime(out, reading.updated, 0, Fraction::kMillis);
  out += R"(","profile":["http://hl7.org/fhir/StructureDefinition/)";
  const bool bp = reading.kind == ReadingKind::kPressure && reading.shape == ReadingShape::kClinic;
  out += bp ? "bp" : "vitalsigns";
  out += R"("]})";
}

// Source: HL7 US Vital Signs IG 1.0.0, observation-deviceCode and MeasurementSettingExt.
void AppendDeviceType(std::string& out) {
  out +=
      R"("extension":[{"url":"http://hl7.org/fhir/StructureDefinition/observation-deviceCode","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"466086009"}],"text":"Automatic upper-arm cuff"}},)"
      R"({"url":"http://hl7.org/fhir/us/vitals/StructureDefinition/MeasurementSettingExt","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"264362003","display":"Home"}]}}],)";
}

void AppendTimes(std::string& out, const Reading& reading) {
  const Fraction fraction = reading.millis ? Fraction::kMillis : Fraction::kNone;
  out += R"(,"effectiveDateTime":")";
  AppendDateTime(out, reading.effective, reading.offset_minutes, fraction);
  out += '"';
  if (reading.shape == ReadingShape::kHome) {
    out += R"(,"performer":[{"reference":"Practitioner/1"}])";
    if (reading.kind == ReadingKind::kPressure) {
      out +=
          R"(,"bodySite":{"coding":[{"system":"http://snomed.info/sct","code":"368209003","display":"Right arm"}]})";
    }
    out += R"(,"device":{"reference":"Device/cuff-)";
    AppendPadded(out, reading.device, 6);
    out += R"("})";
    return;
  }
  out += R"(,"issued":")";
  AppendDateTime(out, reading.effective, reading.offset_minutes, Fraction::kMillis);
  out += '"';
}

}  // namespace

std::string ReadingId(uint64_t seed, int64_t number) {
  return RandomFor(seed, RandomUse::kObservationId, number).Uuid();
}

void AppendReading(std::string& out, const Reading& reading, uint64_t seed,
                   std::string_view subject) {
  const std::string id = ReadingId(seed, reading.number);
  out += R"({"resourceType":"Observation","id":")";
  out += id;
  out += R"(",)";
  AppendMeta(out, reading);
  out += ',';
  if (reading.device_type_named && reading.shape == ReadingShape::kHome &&
      reading.kind == ReadingKind::kPressure) {
    AppendDeviceType(out);
  }
  out += R"("identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:)";
  out += reading.identifier == reading.number ? id : ReadingId(seed, reading.identifier);
  out += R"("}],"status":")";
  out += StatusText(reading.status);
  out +=
      R"(","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],"code":)";
  out += CodeOf(reading);
  out += R"(,"subject":{"reference":)";
  out += subject;
  out += '}';
  if (reading.shape == ReadingShape::kClinic) {
    out += R"(,"encounter":{"reference":"Encounter/enc-)";
    AppendPadded(out, reading.identifier, 7);
    out += R"("})";
  }
  AppendTimes(out, reading);
  if (reading.kind == ReadingKind::kPressure) {
    AppendComponents(out, reading);
  } else {
    AppendSingleValue(out, reading);
  }
  out += "}\n";
}

}  // namespace vitalake::ingest
