#include "delta/checksum.h"

#include "base/json_writer.h"
#include "delta/log_files.h"

namespace vitalake::delta {

std::string ChecksumJson(const Snapshot& snapshot, std::string_view txn_id) {
  JsonWriter out;
  out.BeginObject().Key("txnId").String(txn_id);
  out.Key("tableSizeBytes").Int(snapshot.size_bytes());
  out.Key("numFiles").Int(static_cast<int64_t>(snapshot.files().size()));
  out.Key("numMetadata").Int(1).Key("numProtocol").Int(1);
  out.Key("setTransactions").BeginArray();
  for (const auto& [app_id, txn] : snapshot.txns()) out.Raw(ToJson(txn));
  out.EndArray().Key("domainMetadata").BeginArray();
  for (const auto& [name, domain] : snapshot.domains()) out.Raw(ToJson(domain));
  out.EndArray().Key("metadata").Raw(ToJson(snapshot.metadata()));
  out.Key("protocol").Raw(ToJson(snapshot.protocol())).EndObject();
  return out.Take();
}

Status WriteChecksum(storage::ObjectStore& store, std::string_view root, const Snapshot& snapshot,
                     std::string_view txn_id) {
  const std::string key = ChecksumKey(root, snapshot.version());
  VL_TRY(const storage::PutOutcome outcome,
         store.PutIfAbsent(key, ChecksumJson(snapshot, txn_id) + "\n"));
  if (outcome == storage::PutOutcome::kUnknown) {
    return Fail(ErrorKind::kUnknownOutcome, "it is not known whether " + key + " was written");
  }
  return {};
}

}  // namespace vitalake::delta
