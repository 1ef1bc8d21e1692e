#include "ingest/monitoring/record_watcher.h"

#include <algorithm>

#include "clinical/news2.h"
#include "clinical/plausibility.h"
#include "clinical/sql_functions.h"
#include "fhir/datetime.h"
#include "fhir/record_key.h"
#include "fhir/references.h"
#include "ingest/monitoring/patient_facts.h"
#include "ingest/record_stager.h"

namespace vitalake::ingest {
namespace {

using clinical::Measured;
using clinical::Quality;
using monitor::ReadingStatus;
using monitor::Vital;
using view::Cell;

constexpr std::string_view kConsciousness = "67775-7";
constexpr std::string_view kCuffs[] = {"309641003", "309642005", "466093008", "466086009"};
// v3-ActCode of encounters in hospital, and SNOMED CT of places there (hospital, ward, intensive
// care).
constexpr std::string_view kInpatient[] = {"IMP", "ACUTE", "NONACUTE", "EMER"};
constexpr std::string_view kHospital[] = {"22232009", "225746001", "309904001"};

template <size_t n>
bool IsOneOf(const std::string_view (&list)[n], std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

int Place(const view::View& view, std::string_view name) {
  const auto at = std::ranges::find(view.columns(), name, &view::ColumnSpec::name);
  return at == view.columns().end() ? -1 : static_cast<int>(at - view.columns().begin());
}

std::string_view TextAt(std::span<const Cell> row, int at) {
  return at < 0 || row[static_cast<size_t>(at)].is_null ? std::string_view()
                                                        : row[static_cast<size_t>(at)].text;
}

std::optional<int64_t> IntAt(std::span<const Cell> row, int at) {
  if (at < 0 || row[static_cast<size_t>(at)].is_null) return std::nullopt;
  return row[static_cast<size_t>(at)].integer;
}

bool BoolAt(std::span<const Cell> row, int at) {
  return at >= 0 && !row[static_cast<size_t>(at)].is_null && row[static_cast<size_t>(at)].boolean;
}

monitor::VersionRank RankOf(JsonValue resource) {
  monitor::VersionRank rank;
  const JsonValue meta = resource.Find("meta");
  rank.version = fhir::VersionNumber(meta.String("versionId")).value_or(-1);
  if (const auto time = fhir::ParseDateTime(meta.String("lastUpdated"))) {
    rank.last_updated = time->Utc();
  }
  return rank;
}

// Of the record's contained Encounter: one elsewhere is not known here.
bool IsInHospital(JsonValue resource) {
  const std::string_view reference = resource.Find("encounter").String("reference");
  if (!reference.starts_with('#')) return false;
  for (const JsonValue inner : resource.Find("contained").children()) {
    if (inner.String("resourceType") != "Encounter") continue;
    if (inner.String("id") == reference.substr(1)) {
      return IsOneOf(kInpatient, inner.Find("class").String("code"));
    }
  }
  return false;
}

std::string SubjectByIdentifier(JsonValue resource) {
  const JsonValue subject = resource.Find("subject");
  const JsonValue identifier = subject.Find("identifier");
  const std::string named =
      fhir::PatientIdentifier({subject.String("reference"), subject.String("type"),
                               identifier.String("system"), identifier.String("value")});
  return named.empty() ? named : std::string(kByIdentifier).append(named);
}

std::string FirstIdentifier(JsonValue resource) {
  for (const JsonValue identifier : resource.Find("identifier").children()) {
    const std::string_view value = identifier.String("value");
    if (!value.empty()) return std::string(identifier.String("system")).append("|").append(value);
  }
  return {};
}

}  // namespace

clinical::Device DeviceOf(std::string_view type_code, bool named) {
  if (IsOneOf(kCuffs, type_code)) return clinical::Device::kCuff;
  if (!type_code.empty() || named) return clinical::Device::kUnknownType;
  return clinical::Device::kNotNamed;
}

RecordWatcher::RecordWatcher(const std::vector<lake::SilverView>& views) : needed_(views.size()) {
  const auto finder = [&](Silver table) {
    return [&, at = static_cast<size_t>(table)](std::string_view name) {
      const int place = Place(*views[at].view, name);
      if (place >= 0) needed_[at].push_back(place);
      return place;
    };
  };
  const auto times = [](const auto& find) {
    return TimeColumns{find("patient_id"), find("effective_time"), find("effective_sent"),
                       find("device"), find("device_reference")};
  };
  const auto quantity = [](const auto& find, const std::string& prefix) {
    return QuantityColumns{find(prefix + "value_sent"), find(prefix + "unit_sent"),
                           find(prefix + "unit_code"), find(prefix + "unit_system"),
                           find(prefix + "comparator")};
  };
  const auto patient = finder(Silver::kPatient);
  patient_ = {patient("birth_date"),  patient("deceased"), patient("deceased_time"),
              patient("replaced_by"), patient("replaces"), patient("is_test")};
  const auto pressure = finder(Silver::kObservation);
  pressure_ = times(pressure);
  systolic_ = quantity(pressure, "systolic_");
  diastolic_ = quantity(pressure, "diastolic_");
  device_type_ = pressure("device_type_code");
  setting_ = pressure("setting_code");
  const auto vital = finder(Silver::kVitalSign);
  vital_ = times(vital);
  value_ = quantity(vital, "");
  codings_ = vital("codings");
  value_code_ = vital("value_code");
  value_text_ = vital("value_text");
  value_is_text_ = vital("value_is_text");
}

void RecordWatcher::MarkNeeded(size_t at, std::vector<bool>& needed) const {
  for (const int place : needed_[at]) needed[static_cast<size_t>(place)] = true;
}

void RecordWatcher::Begin(const WatchedPlace& place, JsonValue resource, std::string_view key,
                          const clinical::Assessment& assessment) {
  place_ = place;
  resource_ = resource;
  key_ = key;
  rank_ = RankOf(resource);
  status_ = monitor::ParseStatus(resource.String("status"));
  quality_ = assessment.quality;
  named_.reset();
  first_ = records_.size();
}

void RecordWatcher::End() {
  uint16_t vitals = 0;
  const std::span<WatchedRecord> all = std::span(records_).subspan(first_);
  for (const WatchedRecord& record : all) {
    const auto* taken = std::get_if<WatchedReading>(&record.what);
    if (taken == nullptr) return;  // a patient
    vitals |= static_cast<uint16_t>(1 << static_cast<int>(taken->reading.vital));
  }
  for (WatchedRecord& record : all) std::get<WatchedReading>(record.what).reading.vitals = vitals;
  if (!all.empty()) return;
  if (status_ == ReadingStatus::kRetracted) return AddRetraction(key_, rank_);
  const bool may_correct = named_.has_value() || rank_.version > 1;
  if (!may_correct) return;
  WatchedReading nothing;
  nothing.id = key_;
  nothing.reading.vital = named_.value_or(Vital::kSeveral);
  nothing.reading.rank = rank_;
  nothing.reading.received = place_.received;
  nothing.reading.position = place_.offset;
  nothing.reading.status = ReadingStatus::kQuiet;
  Add(std::move(nothing));
}

void RecordWatcher::TakePatient(std::span<const Cell> row) {
  WatchedPatient patient;
  patient.id = key_;
  patient.rank = PatientRank::Of(rank_, false);
  if (const auto day = IntAt(row, patient_.birth_date)) {
    patient.facts.birth_day = static_cast<int32_t>(*day);
  }
  patient.facts.deceased = BoolAt(row, patient_.deceased);
  patient.facts.deceased_at = IntAt(row, patient_.deceased_time);
  patient.facts.is_test = BoolAt(row, patient_.is_test);
  patient.facts.replaced_by = TextAt(row, patient_.replaced_by);
  patient.facts.replaces = IdsOf(TextAt(row, patient_.replaces));
  records_.push_back(
      {place_.partition, place_.offset, place_.entry, place_.received, std::move(patient)});
}

std::optional<Measured> RecordWatcher::MeasureCells(std::string_view code,
                                                    const QuantityColumns& at,
                                                    std::span<const Cell> row) const {
  const clinical::VitalCode* vital = clinical::CodeTable::Builtin()->Canonical(code);
  const std::string_view value = TextAt(row, at.value);
  if (vital == nullptr || vital->measures.empty() || value.empty()) return std::nullopt;
  const std::string_view unit = clinical::UnitSent(TextAt(row, at.unit_system),
                                                   TextAt(row, at.unit_code), TextAt(row, at.unit));
  return clinical::Measure(*vital, value, unit,
                           clinical::ParseComparator(TextAt(row, at.comparator)));
}

WatchedReading RecordWatcher::ReadingOf(const TimeColumns& columns,
                                        std::span<const Cell> row) const {
  WatchedReading out;
  out.id = key_;
  out.patient = TextAt(row, columns.patient_id);
  if (out.patient.empty()) out.patient = SubjectByIdentifier(resource_);
  out.device = TextAt(row, columns.device);
  if (out.device.empty()) out.device = TextAt(row, columns.device_reference);
  out.device_model = resource_.Find("device").String("display");
  out.identifier = FirstIdentifier(resource_);
  monitor::Reading& reading = out.reading;
  reading.effective = IntAt(row, columns.effective_time);
  reading.received = place_.received;
  if (const auto sent = fhir::ParseDateTime(TextAt(row, columns.effective_sent))) {
    reading.offset_minutes = sent->offset_minutes.value_or(0);
  }
  reading.status = status_;
  reading.rank = rank_;
  reading.device_type = DeviceOf({}, !out.device.empty());
  reading.inpatient = IsInHospital(resource_);
  reading.position = place_.offset;
  return out;
}

void RecordWatcher::Add(WatchedReading reading) {
  records_.push_back(
      {place_.partition, place_.offset, place_.entry, place_.received, std::move(reading)});
}

void RecordWatcher::TakePressure(std::span<const Cell> row) {
  WatchedReading out = ReadingOf(pressure_, row);
  monitor::Reading& reading = out.reading;
  reading.vital = Vital::kBloodPressure;
  reading.quality = quality_;
  const std::string_view type = TextAt(row, device_type_);
  reading.device_type = DeviceOf(type, !out.device.empty());
  if (out.device_model.empty()) out.device_model = type;
  reading.inpatient |= IsOneOf(kHospital, TextAt(row, setting_));
  const auto take = [&](const char* code, const QuantityColumns& at, std::optional<double>& value,
                        clinical::Comparator& comparator) {
    const auto measured = MeasureCells(code, at, row);
    if (!measured || !measured->usable()) return;
    value = measured->value;
    comparator = clinical::ParseComparator(TextAt(row, at.comparator));
    reading.critical |= measured->critical;
  };
  take("8480-6", systolic_, reading.value, reading.comparator);
  take("8462-4", diastolic_, reading.diastolic, reading.diastolic_comparator);
  Add(std::move(out));
}

// Whether the record gave a value of that vital sign: of several the first counts.
bool RecordWatcher::HasTaken(Vital vital) const {
  return std::any_of(records_.begin() + static_cast<std::ptrdiff_t>(first_), records_.end(),
                     [&](const WatchedRecord& record) {
                       const auto* taken = std::get_if<WatchedReading>(&record.what);
                       return taken != nullptr && taken->reading.vital == vital;
                     });
}

void RecordWatcher::TakeVital(std::span<const Cell> row) {
  const auto code = clinical::sql::VitalCodeOfCodings(TextAt(row, codings_));
  if (!code) return;
  // Of a panel: its pressures are in the reading already.
  if ((*code == "8480-6" || *code == "8462-4") && HasTaken(Vital::kBloodPressure)) return;
  const auto measured = MeasureCells(*code, value_, row);
  const bool usable = measured && measured->usable();
  const auto unit = measured ? measured->unit : clinical::Unit::kUnknown;
  const bool retracted = status_ == ReadingStatus::kRetracted;
  auto vital = monitor::VitalOf(*code, unit);
  named_ = vital ? vital : monitor::VitalOf(*code, clinical::Unit::kMilligramPerDecilitre);
  // A retraction may have lost its unit: then it is one of both.
  if (!vital && retracted) {
    vital = monitor::VitalOf(*code, clinical::Unit::kMilligramPerDecilitre);
    if (!vital) return;
    TakeVitalAs(Vital::kGlucoseMass, *code, row, std::nullopt);
    TakeVitalAs(Vital::kGlucoseMolar, *code, row, std::nullopt);
    return;
  }
  if (!vital) return;
  if (*vital == Vital::kConsciousness) {
    std::string_view answer = TextAt(row, value_code_);
    if (answer.empty()) answer = TextAt(row, value_text_);
    if (answer.empty() && !retracted) return;
    Measured level;
    level.value = clinical::IsAlertLevel(answer) ? 0 : 1;
    level.critical = level.value != 0;  // 3 points of NEWS2
    TakeVitalAs(*vital, *code, row, level);
  } else if (usable || retracted) {
    TakeVitalAs(*vital, *code, row, usable ? measured : std::nullopt);
  }
}

void RecordWatcher::TakeVitalAs(Vital vital, std::string_view code, std::span<const Cell> row,
                                const std::optional<Measured>& measured) {
  if (HasTaken(vital)) return;
  WatchedReading out = ReadingOf(vital_, row);
  monitor::Reading& reading = out.reading;
  reading.vital = vital;
  const bool pressure = vital == Vital::kBloodPressure;
  // As views/vital_sign.sql: the record's remarks about time, the value's own, and what is said of
  // pressures as a pair.
  for (const Quality token : {Quality::kTimeImprecise, Quality::kClockAhead}) {
    if (quality_.Has(token)) reading.quality.Add(token);
  }
  if (measured && BoolAt(row, value_is_text_)) reading.quality.Add(Quality::kTextNumber);
  if (quality_.Has(Quality::kImplausible) && pressure) reading.quality.Add(Quality::kImplausible);
  if (measured) {
    reading.quality.Add(measured->quality);
    reading.critical = measured->critical;
    const auto comparator = clinical::ParseComparator(TextAt(row, value_.comparator));
    const bool diastolic = code == "8462-4";
    (diastolic ? reading.diastolic : reading.value) = measured->value;
    (diastolic ? reading.diastolic_comparator : reading.comparator) = comparator;
  }
  Add(std::move(out));
}

void RecordWatcher::TakeDelete(const WatchedPlace& place, std::string_view id, bool patient) {
  place_ = place;
  if (patient) {
    records_.push_back({place.partition, place.offset, place.entry, place.received,
                        WatchedPatient{std::string(id), {}, PatientRank::Of({}, true)}});
    return;
  }
  AddRetraction(id, {});
}

void RecordWatcher::TakeRetraction(const WatchedPlace& place, JsonValue resource,
                                   std::string_view key) {
  place_ = place;
  AddRetraction(key, RankOf(resource));
}

void RecordWatcher::AddRetraction(std::string_view key, const monitor::VersionRank& rank) {
  WatchedReading out;
  out.id = key;
  out.reading.rank = rank;
  out.reading.received = place_.received;
  out.reading.position = place_.offset;
  out.reading.status = ReadingStatus::kRetracted;
  Add(std::move(out));
}

void RecordWatcher::TakeQuarantined(const WatchedPlace& place, JsonValue resource,
                                    std::string_view position) {
  const auto subject = fhir::ParseReference(resource.Find("subject").String("reference"));
  WatchedCritical out;
  if (subject.type == "Patient") out.patient = subject.id;
  out.id = resource.String("id", position);
  records_.push_back({place.partition, place.offset, place.entry, place.received, std::move(out)});
}

}  // namespace vitalake::ingest
