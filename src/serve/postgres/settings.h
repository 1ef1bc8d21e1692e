// The settings of a session, as SET, SHOW and the messages ParameterStatus know them.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::serve {

// Values are kept and shown; only statement_timeout changes what the session does. Names are in any
// case.
class PostgresSettings {
 public:
  PostgresSettings();

  // A value as text; kNotFound: no such setting.
  Result<std::string> Get(std::string_view name) const;
  // The name as PostgreSQL spells it; the same where it is not known.
  std::string Spelling(std::string_view name) const;
  enum class For { kSession, kTransaction };
  // kNotFound: no such setting (names with a dot are taken); kPermission: it cannot be changed;
  // kInvalidArgument: not such a value; kUnsupported: a value that is not supported here.
  Status Set(std::string_view name, std::string_view value, For how_long = For::kSession);
  // "all": every setting.
  Status Reset(std::string_view name);
  // What Reset goes back to.
  void KeepAsDefaults() { defaults_ = now_; }

  // What was set since Begin is kept by Commit, but for what was set for the transaction alone, and
  // undone by Rollback.
  void Begin();
  void Commit();
  void Rollback();
  bool in_transaction() const { return !marks_.empty(); }
  // In a transaction. False: there is no savepoint of that name; of several the last one counts.
  void Savepoint(std::string name);
  bool RollbackTo(std::string_view name);
  bool Release(std::string_view name);

  // The settings that a client is told of, now and when they change; as PostgreSQL spells them.
  static const std::vector<std::string_view>& Reported();
  std::vector<std::pair<std::string, std::string>> All() const;

  std::chrono::milliseconds statement_timeout() const;  // 0: none

 private:
  struct Less {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
  };
  using Values = std::map<std::string, std::string, Less>;
  using ValuesPtr = std::shared_ptr<const Values>;
  struct Mark {
    std::string name;  // of a savepoint
    ValuesPtr now, lasting;
  };
  Status Put(Values& values, std::string_view name, std::string_view value) const;
  Status PutDefault(Values& values, std::string_view name) const;
  // Changes what holds now and, but for the transaction alone, what will hold after it.
  template <class Change>
  Status Apply(For how_long, const Change& change);
  std::vector<Mark>::iterator Find(std::string_view savepoint);

  ValuesPtr now_;
  ValuesPtr lasting_;  // after the transaction, when it is committed
  ValuesPtr defaults_;
  std::vector<Mark> marks_;  // of the transaction's begin, then of its savepoints
};

// The settings in the startup option `options`: "-c name=value --name=value", spaces after \.
std::vector<std::pair<std::string, std::string>> StartupOptions(std::string_view text);

}  // namespace vitalake::serve
