// ResourceLoader: resources as they were received, found in bronze by the place that silver keeps.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/json_tree.h"
#include "base/result.h"
#include "engine/sql_session.h"
#include "lake/lake.h"
#include "serve/fhir/parameters.h"

namespace vitalake::serve {

// What silver says of one version of a resource.
struct ResourceRow {
  FhirType type = FhirType::kPatient;
  std::string id_space, id;
  std::string version_id;              // as received; empty: none
  std::optional<Micros> last_updated;  // as received
  Micros received_at = 0;
  std::string content_hash;
  std::string partition;  // bronze path, or position of a stream's message
  int64_t offset = 0;
  int64_t length = 0;
  bool deleted = false;
  std::string patient_id;              // of an Observation
  std::optional<Micros> retracted_at;  // of a deleted one, when its deletion came in

  // meta.versionId as served: as received, else made of the content.
  std::string ServedVersion() const;
  Micros ServedUpdated() const { return last_updated.value_or(received_at); }
  // When it became what it is: a deletion is later than what was deleted.
  Micros Modified() const { return deleted && retracted_at ? *retracted_at : ServedUpdated(); }
};

// The current row of a result that begins with the columns of kRowList (fhir/relation.h).
ResourceRow ResourceRowOf(FhirType type, const engine::QueryResult& result);

// For one request; not thread-safe.
class ResourceLoader {
 public:
  ResourceLoader(lake::Lake& lake, engine::SqlSession& session, const Wait& wait)
      : lake_(lake), session_(session), wait_(wait) {}

  // The resource with references of its Bundle resolved, and its bytes; both live for the call.
  using Use = std::function<Status(size_t row, JsonValue resource, std::string_view bytes)>;
  // Calls `use` once per row whose resource is in bronze, in any order; a row is missing when its
  // file was taken away. Cost: a read of the resource, where it needs its Bundle or is compressed,
  // of its file.
  Status Load(std::span<const ResourceRow> rows, const Use& use);

 private:
  using Places = std::vector<size_t>;  // rows of one file or message
  Status LoadFile(const std::string& path, std::span<const ResourceRow> rows, const Places& places,
                  const Use& use);
  // The rows that a read of their bytes alone was not enough for.
  Result<Places> LoadPieces(const std::string& path, std::span<const ResourceRow> rows,
                            const Places& places, const Use& use);
  Status LoadMessages(std::span<const ResourceRow> rows, const std::string& app,
                      const std::map<int64_t, Places>& offsets, const Use& use);

  lake::Lake& lake_;
  engine::SqlSession& session_;
  const Wait wait_;
  JsonParser parser_;
};

}  // namespace vitalake::serve
