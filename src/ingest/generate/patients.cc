#include <fmt/format.h>

#include <array>
#include <fstream>
#include <span>

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "ingest/generate/blocks.h"
#include "ingest/generate/generate.h"
#include "ingest/generate/person.h"
#include "ingest/generate/random.h"
#include "ingest/generate/text.h"

namespace vitalake::ingest {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kFemale[] = {
    "Amara",  "Ana",   "Beatriz",  "Chiara", "Dagný", "Elif",  "Emma",   "Fatima", "Grace", "Hana",
    "Ingrid", "Jana",  "Kateřina", "Leila",  "Lucía", "María", "Maya",   "Mei",    "Nadia", "Nour",
    "Olga",   "Priya", "Rosa",     "Sakura", "Sofie", "Søs",   "Thandi", "Ximena", "Yuki",  "Zoë"};
constexpr std::string_view kMale[] = {"Ahmed",  "Anders",   "André",  "Björn",  "Carlos", "Chen",
                                      "Daniel", "Dmitri",   "Emre",   "Felix",  "Gábor",  "Hiroshi",
                                      "Ivan",   "James",    "Jürgen", "Kofi",   "Łukasz", "Luca",
                                      "Mateo",  "Mohammed", "Noah",   "Omar",   "Pablo",  "Rajesh",
                                      "René",   "Samuel",   "Tomás",  "Viktor", "Yusuf",  "Zoltán"};
constexpr std::string_view kFamily[] = {
    "Abebe",   "Andersen", "Bauer",  "Becker",  "Costa",  "Đorđević", "Dubois", "Fernández",
    "Fischer", "García",   "Haddad", "Ivanova", "Jensen", "Johnson",  "Kim",    "Kowalska",
    "Larsen",  "Lefèvre",  "Li",     "López",   "Müller", "Nakamura", "Nguyen", "Novák",
    "O'Brien", "Okafor",   "Öztürk", "Patel",   "Petrov", "Rossi",    "Santos", "Schmidt",
    "Silva",   "Singh",    "Smith",  "Suzuki",  "Tanaka", "Van Dijk", "Weiß",   "Yılmaz"};
constexpr std::string_view kStreets[] = {"Abbey Road",    "Birch Lane",  "Church Street",
                                         "Station Road",  "Garden Walk", "High Street",
                                         "Market Square", "Mill Lane",   "Park Avenue",
                                         "River Side",    "School Road", "Rue de l'Église"};

struct Place {
  std::string_view city, district, state, country;
};
constexpr Place kPlaces[] = {
    {"Springfield", "Hampden", "MA", "US"}, {"Worcester", "Worcester", "MA", "US"},
    {"Zürich", "Zürich", "ZH", "CH"},       {"Aarhus", "Midtjylland", "DK-82", "DK"},
    {"München", "Oberbayern", "BY", "DE"},  {"Lyon", "Rhône", "ARA", "FR"},
    {"Łódź", "Łódź", "LD", "PL"},           {"Kathmandu", "Kathmandu", "P3", "NP"}};

template <class T, size_t N>
const T& Pick(Random& random, const T (&from)[N]) {
  return from[random.Below(N)];
}

std::string Digits(Random& random, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += static_cast<char>('0' + random.Below(10));
  return text;
}

std::string DateText(int64_t days) {
  std::string text;
  AppendDate(text, days);
  return text;
}

// Writes one Patient; `random` decides all that Person does not.
class PatientWriter {
 public:
  PatientWriter(const PatientOptions& options, int64_t index)
      : options_(options),
        index_(index),
        person_(MakePerson(options.seed, index, options.now)),
        random_(RandomFor(options.seed, RandomUse::kPatient, index)) {}

  std::string Write() {
    w_.BeginObject()
        .Key("resourceType")
        .String("Patient")
        .Key("id")
        .String(GeneratedPatientId(index_));
    w_.Key("meta")
        .BeginObject()
        .Key("versionId")
        .String("1")
        .Key("lastUpdated")
        .String(FormatUtc(options_.now - 120 * kDay));
    w_.EndObject();
    Identifiers();
    w_.Key("active").Bool(!IsReplaced());
    NamesOf();
    Telecom();
    w_.Key("gender").String(person_.female ? "female" : "male");
    w_.Key("birthDate").String(DateText(person_.birth_day));
    Deceased();
    Addresses();
    w_.Key("managingOrganization")
        .BeginObject()
        .Key("reference")
        .String(fmt::format("Organization/clinic-{:02}", random_.Below(40)));
    w_.EndObject();
    Links();
    w_.EndObject();
    return w_.Take();
  }

 private:
  // Patients 2k and 2k + 1 are a pair; in a linked pair the first is replaced by the second.
  bool IsLinkedPair() const {
    const int64_t first = index_ & ~int64_t{1};
    if (first + 1 >= options_.count) return false;
    SeededRandom random = RandomFor(options_.seed, RandomUse::kPatient, -1 - first);
    return static_cast<double>(random.Below(1'000'000)) < 2e6 * options_.replaced_share;
  }
  bool IsReplaced() const { return index_ % 2 == 0 && IsLinkedPair(); }

  void Identifiers() {
    w_.Key("identifier").BeginArray();
    w_.BeginObject().Key("use").String("usual").Key("type").BeginObject().Key("coding");
    w_.BeginArray().BeginObject();
    w_.Key("system").String("http://terminology.hl7.org/CodeSystem/v2-0203");
    w_.Key("code").String("MR").Key("display").String("Medical record number");
    w_.EndObject().EndArray().EndObject();
    w_.Key("system").String("http://hospital.example.org/mrn");
    w_.Key("value").String(fmt::format("{:08}", 10'000'000 + index_)).EndObject();
    w_.BeginObject().Key("system").String("urn:ietf:rfc:3986");
    w_.Key("value").String("urn:uuid:" + random_.Uuid()).EndObject();
    if (Chance(random_, 400)) {
      w_.BeginObject().Key("system").String("http://insurance.example.org/member");
      w_.Key("value").String("M" + Digits(random_, 9)).EndObject();
    }
    w_.EndArray();
  }

  void Name(std::string_view use, std::string_view family, Names given) {
    w_.BeginObject().Key("use").String(use).Key("family").String(family).Key("given").BeginArray();
    for (const std::string_view name : given) w_.String(name);
    w_.EndArray().EndObject();
  }

  void NamesOf() {
    const auto first_name = [&] {
      return person_.female ? Pick(random_, kFemale) : Pick(random_, kMale);
    };
    family_ = Pick(random_, kFamily);
    given_ = first_name();
    const std::array<std::string_view, 2> given = {given_, first_name()};
    const Names names = Names(given).first(Chance(random_, 300) ? 2 : 1);
    const bool old = Chance(random_, person_.female ? 250 : 50);
    const bool old_first = Chance(random_, 500);
    w_.Key("name").BeginArray();
    const auto old_name = [&] {
      Name(person_.female ? "maiden" : "old", Pick(random_, kFamily), names);
    };
    if (old && old_first) old_name();
    Name("official", family_, names);
    if (old && !old_first) old_name();
    if (Chance(random_, 100)) Name("nickname", family_, Names(given).first(1));
    w_.EndArray();
  }

  void Contact(std::string_view system, std::string_view use, const std::string& value, int rank) {
    w_.BeginObject().Key("system").String(system).Key("value").String(value);
    w_.Key("use").String(use);
    if (rank > 0) w_.Key("rank").Int(rank);
    w_.EndObject();
  }

  // Draws are statements of their own: the order in which arguments are evaluated is not fixed.
  std::string Phone() {
    const std::string exchange = Digits(random_, 2);
    return fmt::format("555-01{}-{}", exchange, Digits(random_, 4));
  }

  void Telecom() {
    w_.Key("telecom").BeginArray();
    // Not in order of rank: a reader must sort.
    if (Chance(random_, 300)) Contact("phone", "mobile", Phone(), 3);
    Contact("phone", "mobile", Phone(), 2);
    if (Chance(random_, 700)) Contact("phone", "work", Phone(), 1);
    if (Chance(random_, 300)) Contact("phone", "home", Phone(), 0);
    if (Chance(random_, 600)) {
      Contact("email", "home", fmt::format("patient{}@example.org", index_), 0);
    }
    w_.EndArray();
  }

  void Deceased() {
    if (!person_.deceased) return;
    // Before the readings begin, by at most two years, and after the birth.
    const int64_t days = options_.now / kDay - Between(random_, 100, 800);
    if (Chance(random_, 200)) {
      w_.Key("deceasedBoolean").Bool(true);
      return;
    }
    std::string text;
    AppendDateTime(text, days * kDay + Between(random_, 0, 86'399) * kSecond,
                   person_.utc_offset_minutes, Fraction::kNone);
    w_.Key("deceasedDateTime").String(text);
  }

  void Address(std::string_view use) {
    const Place& place = Pick(random_, kPlaces);
    w_.BeginObject().Key("use").String(use).Key("line").BeginArray();
    const int64_t house = Between(random_, 1, 999);
    w_.String(fmt::format("{} {}", house, Pick(random_, kStreets)));
    if (Chance(random_, 150)) w_.String(fmt::format("Apt {}", Between(random_, 1, 80)));
    w_.EndArray();
    w_.Key("city").String(place.city).Key("district").String(place.district);
    w_.Key("state").String(place.state).Key("postalCode").String(Digits(random_, 5));
    w_.Key("country").String(place.country).EndObject();
  }

  void Addresses() {
    w_.Key("address").BeginArray();
    if (Chance(random_, 100)) Address("old");
    Address("home");
    if (Chance(random_, 100)) Address("work");
    w_.EndArray();
  }

  void Links() {
    if (!IsLinkedPair()) return;
    w_.Key("link").BeginArray().BeginObject().Key("other").BeginObject().Key("reference");
    w_.String("Patient/" + GeneratedPatientId(index_ ^ 1)).EndObject();
    w_.Key("type").String(IsReplaced() ? "replaced-by" : "replaces");
    w_.EndObject().EndArray();
  }

  const PatientOptions& options_;
  const int64_t index_;
  const Person person_;
  SeededRandom random_;
  JsonWriter w_;
  std::string_view family_;
  std::string_view given_;
};

}  // namespace

std::string GeneratedPatientId(int64_t index) { return fmt::format("pat-{:06}", index); }

void AppendPatient(std::string& out, const PatientOptions& options, int64_t index) {
  out += PatientWriter(options, index).Write();
}

Result<GenerateSummary> GeneratePatients(const PatientOptions& options, const GenerateSink& sink) {
  if (options.count < 0) {
    return Fail(ErrorKind::kInvalidArgument, "the number of patients must be 0 or more");
  }
  if (!(options.replaced_share >= 0 && options.replaced_share <= 0.5)) {
    return Fail(ErrorKind::kInvalidArgument, "the share of replaced patients must be 0 to 0.5");
  }
  BlockBuffer lines(sink);
  for (int64_t i = 0; i < options.count; ++i) {
    AppendPatient(lines.text(), options, i);
    lines.text() += '\n';
    VL_RETURN_IF_ERROR(lines.FlushWhenFull());
  }
  VL_RETURN_IF_ERROR(lines.Flush());
  return GenerateSummary{.records = options.count, .bytes = lines.flushed_bytes()};
}

Result<std::vector<std::string>> ReadPatientIds(const std::filesystem::path& ndjson) {
  std::ifstream in(ndjson, std::ios::binary);
  if (!in) {
    std::error_code ignored;
    const bool there = std::filesystem::exists(ndjson, ignored);
    return Fail(there ? ErrorKind::kPermission : ErrorKind::kNotFound,
                fmt::format("cannot read patients from {}", ndjson.string()));
  }
  std::vector<std::string> ids;
  JsonParser parser;
  int64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto resource = parser.Parse(line);
    const auto corrupt = [&](std::string_view why) {
      return Fail(ErrorKind::kCorrupt, fmt::format("{}:{}: {}", ndjson.string(), number, why));
    };
    if (!resource) return corrupt(resource.error().message);
    if (resource->String("resourceType") != "Patient") continue;
    const std::string_view id = resource->String("id");
    if (id.empty()) return corrupt("a Patient without id");
    ids.emplace_back(id);
  }
  if (in.bad()) return Fail(ErrorKind::kIo, fmt::format("cannot read {}", ndjson.string()));
  if (ids.empty()) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("no Patient in {}", ndjson.string()));
  }
  return ids;
}

}  // namespace vitalake::ingest
