#include "delta/transaction.h"

#include "delta/table_fixture.h"
#include "storage/faulty_store.h"

namespace vitalake::delta {
namespace {

using std::chrono::seconds;
using storage::FaultEffect;
using storage::StoreCall;
using testing::ElementsAre;
using testing::HasSubstr;

class TransactionTest : public TableTest {
 protected:
  TransactionTest() : table(OpenTable()) { base = Create(*table); }

  Transaction Begin() { return Transaction(*table, table->Latest().value()); }
  ErrorKind RefusedAs(Transaction& tx, std::string_view says) {
    const auto result = tx.Commit();
    if (result) throw std::runtime_error("not refused");
    EXPECT_THAT(result.error().ToString(), HasSubstr(std::string(says)));
    EXPECT_EQ(OpenTable()->Latest().value()->version(), table->Latest().value()->version());
    return result.error().kind;
  }

  std::unique_ptr<Table> table;
  SnapshotPtr base;
};

TEST_F(TransactionTest, AppendIsOneCommitWithItsProvenance) {
  clock.Advance(kSecond);
  Transaction tx = Begin();
  tx.Add(DataFile("a b.parquet", 5));
  tx.SetTxn("app", 42);
  tx.SetOperation("WRITE", {{"mode", "Append"}}, {{"numFiles", "1"}});
  tx.SetUserInfo("run", R"({"x":1})");
  tx.ReadNothing();
  tx.SetIsolation(Isolation::kWriteSerializable);
  const Committed done = MustCommit(tx.Commit());
  EXPECT_EQ(done.version, Version{1});
  EXPECT_FALSE(done.checksum_error);
  EXPECT_EQ(
      LogText(CommitName(1)),
      fmt::format(
          R"J({{"commitInfo":{{"timestamp":1790000001000,"operation":"WRITE","operationParameters":{{"mode":"Append"}},"readVersion":0,"isolationLevel":"WriteSerializable","isBlindAppend":true,"operationMetrics":{{"numFiles":"1"}},"engineInfo":"Vitalake","txnId":"{}","vitalake":{{"run":{{"x":1}}}}}}}}
{{"txn":{{"appId":"app","version":42,"lastUpdated":1790000001000}}}}
{{"add":{{"path":"a%20b.parquet","partitionValues":{{}},"size":21,"modificationTime":1790000001000,"dataChange":true,"stats":"{{\"numRecords\":5}}"}}}}
)J",
          tx.id()));
  // What the commit says the table is now, and what the log says, are the same.
  const SnapshotPtr read = OpenTable()->Latest().value();
  EXPECT_EQ(read->version(), done.snapshot->version());
  EXPECT_EQ(read->timestamp(), done.snapshot->timestamp());
  EXPECT_EQ(*read->files()[0], *done.snapshot->files()[0]);
  EXPECT_EQ(read->txns(), done.snapshot->txns());
  EXPECT_EQ(read->FindTxn("app"), 42);
  EXPECT_EQ(table->Latest().value(), done.snapshot);  // remembered
}

TEST_F(TransactionTest, ReplacingAFileKeepsWhatIsKnownOfIt) {
  Append(*table, "a");
  Transaction tx = Begin();
  tx.Remove("a");
  tx.Add(DataFile("b"));
  tx.AddCdc(ChangeFileOf("c"));
  const Committed done = MustCommit(tx.Commit());
  EXPECT_THAT(PathsOf(*done.snapshot), ElementsAre("b"));
  EXPECT_THAT(
      LogText(CommitName(2)),
      HasSubstr(R"("remove":{"path":"a","deletionTimestamp":1790000001000,"dataChange":true,)"
                R"("extendedFileMetadata":true,"partitionValues":{},"size":11,)"));
  EXPECT_THAT(LogText(CommitName(2)),
              HasSubstr(R"({"cdc":{"path":"_change_data/c","partitionValues":{},"size":)"));
  EXPECT_THAT(LogText(CommitName(2)), HasSubstr(R"("isBlindAppend":false)"));
}

TEST_F(TransactionTest, SchemaAndPropertiesCanChange) {
  Metadata metadata = base->metadata();
  metadata.configuration["delta.checkpointInterval"] = "1";
  Transaction tx = Begin();
  tx.SetMetadata(metadata);
  const Committed done = MustCommit(tx.Commit());
  EXPECT_TRUE(done.checkpoint_due);
  EXPECT_EQ(OpenTable()->Latest().value()->checkpoint_interval(), 1);
  metadata.id = "other";
  Transaction wrong = Begin();
  wrong.SetMetadata(metadata);
  EXPECT_EQ(RefusedAs(wrong, "id"), ErrorKind::kInvalidArgument);
}

TEST_F(TransactionTest, WhatMakesNoSenseIsRefused) {
  Append(*table, "there");
  const auto refuse = [&](std::string_view says, auto fill) {
    Transaction tx = Begin();
    fill(tx);
    EXPECT_EQ(RefusedAs(tx, says), ErrorKind::kInvalidArgument) << says;
  };
  refuse("nothing to commit", [](Transaction&) {});
  refuse("transaction of 'app' is there twice", [](Transaction& tx) {
    tx.SetTxn("app", 1);
    tx.SetTxn("app", 2);
  });
  refuse("added file 'a' is there twice", [&](Transaction& tx) {
    tx.Add(DataFile("a"));
    tx.Add(DataFile("a"));
  });
  refuse("removed file 'there' is there twice", [](Transaction& tx) {
    tx.Remove("there");
    tx.Remove("there");
  });
  refuse("'missing' is not in version 1", [](Transaction& tx) { tx.Remove("missing"); });
  refuse("added and removed", [&](Transaction& tx) {
    tx.Remove("there");
    tx.Add(DataFile("there"));
  });
  refuse("partition values", [&](Transaction& tx) {
    AddFile file = DataFile("a");
    file.partition_values["day"] = "1";
    tx.Add(file);
  });
  refuse("outside", [](Transaction& tx) { tx.Add({.path = "/abs", .size_bytes = 1}); });
  refuse("no path", [](Transaction& tx) { tx.Add({.path = "../x", .size_bytes = 1}); });
  refuse("no size", [](Transaction& tx) { tx.Add({.path = "x"}); });
  refuse("not below _change_data/",
         [](Transaction& tx) { tx.AddCdc({.path = "x", .size_bytes = 1}); });
}

TEST_F(TransactionTest, ChangeFilesNeedTheChangeFeed) {
  const auto other = Table::Open(MakeEnvironment(memory), "other");
  CreateOptions options = PatientOptions();
  options.configuration["delta.enableChangeDataFeed"] = "false";
  Transaction tx(*other, Create(*other, options));
  tx.AddCdc(PutChangeFile(memory, "other", "c"));
  EXPECT_EQ(tx.Commit().error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(TransactionTest, AppendOnlyTablesLoseNothing) {
  const auto other = Table::Open(MakeEnvironment(memory), "other");
  CreateOptions options = PatientOptions();
  options.configuration["delta.appendOnly"] = "true";
  Transaction add(*other, Create(*other, options));
  add.Add(PutDataFile(memory, "other", "a"));
  MustCommit(add.Commit());
  Transaction remove(*other, other->Latest().value());
  remove.Remove("a");
  EXPECT_EQ(remove.Commit().error().kind, ErrorKind::kUnsupported);
  Transaction compact(*other, other->Latest().value());
  compact.Remove("a", /*data_change=*/false);
  AddFile packed = PutDataFile(memory, "other", "b");
  packed.data_change = false;
  compact.Add(packed);
  MustCommit(compact.Commit());
}

TEST_F(TransactionTest, TruncatedDataFileIsNeverReferenced) {  // delta#91
  AddFile cut = DataFile("cut");
  cut.size_bytes += 1;
  Transaction tx = Begin();
  tx.Add(cut);
  EXPECT_EQ(RefusedAs(tx, "cut"), ErrorKind::kCorrupt);
  Transaction missing = Begin();
  missing.Add({.path = "never-written", .size_bytes = 5});
  EXPECT_EQ(RefusedAs(missing, "never-written"), ErrorKind::kNotFound);
}

TEST_F(TransactionTest, TablesOfUnknownWriterFeaturesAreLeftAlone) {
  std::string text = LogText(CommitName(0));
  text.replace(text.find("\"invariants\""), 12, "\"rowTracking\"");
  PutLog(CommitName(0), text);
  Transaction tx = Begin();
  tx.SetTxn("a", 1);
  EXPECT_EQ(RefusedAs(tx, "rowTracking"), ErrorKind::kUnsupported);
}

// -- conflicts
// -------------------------------------------------------------------------------------

// What the loser read and does, what the winner did, and what must come of it.
enum class Reads { kNothing, kFileA, kFileB, kWhereHit, kWhereMiss, kTable };
enum class Winner {
  kBlindAppend,
  kReadAppend,  // an append that read the table
  kCompaction,  // replaces a by a2 without changing data
  kRemovesA,
  kTxnOnly,  // "theirs"
  kSameTxn,  // "ours"
  kMetadata,
  kProtocol,
};
struct ConflictCase {
  Reads reads;
  Isolation isolation;
  Winner winner;
  std::optional<ConflictKind> conflict;
};

class ConflictTest : public TransactionTest, public testing::WithParamInterface<ConflictCase> {
 protected:
  void Win(Winner winner) {
    Transaction tx = Begin();
    switch (winner) {
      case Winner::kBlindAppend:
        tx.ReadNothing();
        [[fallthrough]];
      case Winner::kReadAppend:
        tx.Add(DataFile("new"));
        break;
      case Winner::kCompaction: {
        tx.Remove("a", /*data_change=*/false);
        AddFile packed = DataFile("a2");
        packed.data_change = false;
        tx.Add(packed);
        break;
      }
      case Winner::kRemovesA:
        tx.Remove("a");
        break;
      case Winner::kTxnOnly:
        tx.SetTxn("theirs", 1);
        break;
      case Winner::kSameTxn:
        tx.SetTxn("ours", 1);
        break;
      case Winner::kMetadata: {
        Metadata metadata = base->metadata();
        metadata.configuration["k"] = "v";
        tx.SetMetadata(metadata);
        break;
      }
      case Winner::kProtocol:
        PutLog(CommitName(3), R"J({"protocol":{"minReaderVersion":1,"minWriterVersion":4}})J");
        return;
    }
    MustCommit(tx.Commit());
  }
  void Read(Transaction& tx, Reads reads) {
    const std::string a[] = {"a"};
    const std::string b[] = {"b"};
    switch (reads) {
      case Reads::kNothing:
        return tx.ReadNothing();
      case Reads::kFileA:
        return tx.ReadFiles(a);
      case Reads::kFileB:
        return tx.ReadFiles(b);
      case Reads::kWhereHit:
        return tx.ReadWhere(b, [](const AddFile&) { return true; });
      case Reads::kWhereMiss:
        return tx.ReadWhere(b, [](const AddFile&) { return false; });
      case Reads::kTable:
        return tx.ReadWholeTable();
    }
  }
};

TEST_P(ConflictTest, IsDecidedByTheRules) {
  const ConflictCase& one = GetParam();
  Append(*table, "a");
  Append(*table, "b");
  Transaction tx = Begin();
  tx.Add(DataFile("mine"));
  tx.SetTxn("ours", 7);
  tx.SetIsolation(one.isolation);
  Read(tx, one.reads);
  Win(one.winner);
  const auto result = tx.Commit();
  if (one.conflict) {
    const Conflict lost = MustConflict(result);
    EXPECT_EQ(ToString(lost.kind), ToString(*one.conflict)) << lost.message;
    EXPECT_EQ(lost.winner, Version{3});
    EXPECT_EQ(OpenTable()->Latest().value()->version(), Version{3});
    EXPECT_EQ(OpenTable()->Latest().value()->FindFile("mine"), nullptr);
  } else {
    EXPECT_EQ(MustCommit(result).version, Version{4});
    EXPECT_NE(OpenTable()->Latest().value()->FindFile("mine"), nullptr);
  }
}

constexpr auto kStrict = Isolation::kSerializable;
constexpr auto kLoose = Isolation::kWriteSerializable;
const ConflictCase kConflicts[] = {
    // blind appends go with everything that leaves the table what it is
    {Reads::kNothing, kStrict, Winner::kBlindAppend, {}},
    {Reads::kNothing, kStrict, Winner::kReadAppend, {}},
    {Reads::kNothing, kStrict, Winner::kCompaction, {}},
    {Reads::kNothing, kStrict, Winner::kRemovesA, {}},
    {Reads::kNothing, kStrict, Winner::kTxnOnly, {}},
    {Reads::kNothing, kLoose, Winner::kReadAppend, {}},
    {Reads::kNothing, kLoose, Winner::kSameTxn, ConflictKind::kTxn},
    {Reads::kNothing, kStrict, Winner::kMetadata, ConflictKind::kMetadata},
    {Reads::kNothing, kStrict, Winner::kProtocol, ConflictKind::kProtocol},
    // who read the whole table should have read what was added
    {Reads::kTable, kStrict, Winner::kBlindAppend, ConflictKind::kConcurrentAppend},
    {Reads::kTable, kLoose, Winner::kBlindAppend, {}},
    {Reads::kTable, kStrict, Winner::kReadAppend, ConflictKind::kConcurrentAppend},
    {Reads::kTable, kLoose, Winner::kReadAppend, ConflictKind::kConcurrentAppend},
    {Reads::kTable, kStrict, Winner::kCompaction, ConflictKind::kConcurrentDeleteRead},
    {Reads::kTable, kLoose, Winner::kRemovesA, ConflictKind::kConcurrentDeleteRead},
    {Reads::kTable, kStrict, Winner::kTxnOnly, {}},
    {Reads::kTable, kStrict, Winner::kSameTxn, ConflictKind::kTxn},
    // who read certain files, only what became of these
    {Reads::kFileA, kStrict, Winner::kReadAppend, {}},
    {Reads::kFileA, kStrict, Winner::kCompaction, ConflictKind::kConcurrentDeleteRead},
    {Reads::kFileA, kStrict, Winner::kRemovesA, ConflictKind::kConcurrentDeleteRead},
    {Reads::kFileB, kStrict, Winner::kRemovesA, {}},
    // who can look into added files is asked
    {Reads::kWhereHit, kStrict, Winner::kBlindAppend, ConflictKind::kConcurrentAppend},
    {Reads::kWhereHit, kLoose, Winner::kBlindAppend, {}},
    {Reads::kWhereMiss, kStrict, Winner::kBlindAppend, {}},
    {Reads::kWhereHit, kStrict, Winner::kCompaction, {}},  // the same rows, written anew
    {Reads::kWhereMiss, kStrict, Winner::kRemovesA, {}},
};
INSTANTIATE_TEST_SUITE_P(Matrix, ConflictTest, testing::ValuesIn(kConflicts));

TEST_F(TransactionTest, RemoveRemoveOverlapIsAConflict) {  // delta#7163
  Append(*table, "a");
  Append(*table, "b");
  Transaction loser = Begin();
  loser.Remove("a");
  loser.Add(DataFile("a-rewritten-by-loser"));
  loser.ReadFiles({});
  Transaction winner = Begin();
  winner.Remove("a");
  winner.Add(DataFile("a-rewritten-by-winner"));
  MustCommit(winner.Commit());
  EXPECT_EQ(MustConflict(loser.Commit()).kind, ConflictKind::kConcurrentDeleteDelete);
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("b", "a-rewritten-by-winner"));
}

TEST_F(TransactionTest, RulesAreAskedInTheirOrder) {
  Append(*table, "a");
  Transaction tx = Begin();
  tx.Remove("a");
  tx.SetTxn("ours", 2);
  Transaction winner = Begin();  // breaks every rule but the protocol's
  Metadata metadata = base->metadata();
  metadata.configuration["k"] = "v";
  winner.SetMetadata(metadata);
  winner.SetTxn("ours", 1);
  winner.Remove("a");
  winner.Add(DataFile("new"));
  MustCommit(winner.Commit());
  EXPECT_EQ(MustConflict(tx.Commit()).kind, ConflictKind::kMetadata);
}

TEST_F(TransactionTest, ReadTxnConflictsWithItsWriter) {
  Transaction tx = Begin();
  tx.Add(DataFile("mine"));
  tx.ReadNothing();
  tx.ReadTxn("source");
  Transaction winner = Begin();
  winner.SetTxn("source", 1);
  MustCommit(winner.Commit());
  EXPECT_EQ(MustConflict(tx.Commit()).kind, ConflictKind::kTxn);
}

TEST_F(TransactionTest, AddingTheSameFileTwiceIsAConflict) {
  Transaction tx = Begin();
  tx.Add(DataFile("same"));
  tx.ReadNothing();
  Append(*table, "same");
  EXPECT_EQ(MustConflict(tx.Commit()).kind, ConflictKind::kConcurrentAppend);
}

TEST_F(TransactionTest, ErrorsOfTheLookIntoAddedFilesEndTheCommit) {
  Transaction tx = Begin();
  tx.Add(DataFile("mine"));
  int asked = 0;
  tx.ReadWhere({}, [&](const AddFile& added) -> Result<bool> {
    ++asked;
    EXPECT_EQ(added.path, "new");
    return Fail(ErrorKind::kIo, "no look");
  });
  Append(*table, "new");
  EXPECT_EQ(tx.Commit().error().kind, ErrorKind::kIo);
  EXPECT_EQ(asked, 1);
}

TEST_F(TransactionTest, RetriesGoBehindTheNewestVersionAtOnce) {  // delta-rs#3066
  storage::FaultyStore counting(memory);
  const auto slow = Table::Open(MakeEnvironment(counting), std::string(kRoot));
  Transaction tx(*slow, slow->Latest().value());
  tx.Add(DataFile("mine"));
  tx.ReadNothing();
  for (int i = 0; i < 30; ++i) Append(*table, fmt::format("other-{}", i));
  counting.ResetCounts();
  EXPECT_EQ(MustCommit(tx.Commit()).version, Version{31});
  // The first try, the one behind all winners, and the checksum file.
  EXPECT_EQ(counting.calls(StoreCall::kPutIfAbsent), 3);
}

TEST_F(TransactionTest, LosingForeverEndsWithTheDeadline) {
  storage::FaultyStore contested(memory);
  const auto loser = Table::Open(MakeEnvironment(contested), std::string(kRoot));
  Transaction tx(*loser, loser->Latest().value());
  tx.Add(DataFile("mine"));
  tx.ReadNothing();
  for (int nth = 1; nth <= 10'000; ++nth) {
    contested.Before(
        nth, [this, nth] { Append(*table, fmt::format("other-{}", nth)); },
        StoreCall::kPutIfAbsent);
  }
  const auto result = tx.Commit(Wait::For(clock, seconds(20)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kDeadline);
  EXPECT_EQ(OpenTable()->Latest().value()->FindFile("mine"), nullptr);
}

TEST_F(TransactionTest, StopAndDeadlineAreAskedBeforeWriting) {
  std::stop_source stop;
  stop.request_stop();
  Wait stopped;
  stopped.stop = stop.get_token();
  Transaction tx = Begin();
  tx.SetTxn("a", 1);
  EXPECT_EQ(tx.Commit(stopped).error().kind, ErrorKind::kCancelled);
  Transaction late = Begin();
  late.SetTxn("a", 1);
  EXPECT_EQ(late.Commit(Wait::For(clock, seconds(-1))).error().kind, ErrorKind::kDeadline);
  EXPECT_EQ(OpenTable()->Latest().value()->version(), Version{0});
}

TEST_F(TransactionTest, AVersionBelowACleanedUpLogIsNeverWritten) {
  Transaction stale = Begin();
  stale.SetTxn("a", 1);
  for (int i = 1; i <= 3; ++i) Append(*table, fmt::format("f{}", i));
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  DeleteLog(CommitName(0));
  DeleteLog(CommitName(1));
  const auto result = stale.Commit();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(LogText(CommitName(1)), "");
  EXPECT_EQ(OpenTable()->Latest().value()->version(), Version{3});
}

TEST_F(TransactionTest, TablesThatBeginAtACheckpointCanBeExtended) {
  Append(*table, "a");
  ASSERT_TRUE(table->Checkpoint(Version{1}));
  DeleteLog(CommitName(0));
  DeleteLog(CommitName(1));
  const auto fresh = OpenTable();
  Transaction first(*fresh, fresh->Latest().value());
  first.Add(DataFile("b"));
  Transaction second(*fresh, fresh->Latest().value());
  second.Add(DataFile("c"));
  second.ReadNothing();
  EXPECT_EQ(MustCommit(first.Commit()).version, Version{2});
  EXPECT_EQ(MustCommit(second.Commit()).version, Version{3});
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("a", "b", "c"));
}

// -- outcomes that the store cannot tell
// ------------------------------------------------------------

class UnknownOutcomeTest : public TransactionTest {
 protected:
  UnknownOutcomeTest()
      : broken(memory), through(Table::Open(MakeEnvironment(broken), std::string(kRoot))) {}

  Transaction BeginThrough() {
    Transaction tx(*through, through->Latest().value());
    tx.Add(DataFile("mine"));
    tx.ReadNothing();
    broken.ResetCounts();
    return tx;
  }

  storage::FaultyStore broken;
  std::unique_ptr<Table> through;
};

TEST_F(UnknownOutcomeTest, SuccessIsNotReportedAsFailure) {  // delta-rs#2279
  Transaction tx = BeginThrough();
  broken.UnknownPutIfAbsent(broken.calls(StoreCall::kPutIfAbsent) + 1, FaultEffect::kDone);
  EXPECT_EQ(MustCommit(tx.Commit()).version, Version{1});
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("mine"));
}

TEST_F(UnknownOutcomeTest, WhatDidNotHappenIsTriedAgain) {
  Transaction tx = BeginThrough();
  broken.UnknownPutIfAbsent(1, FaultEffect::kNothing);
  EXPECT_EQ(MustCommit(tx.Commit()).version, Version{1});
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("mine"));
}

TEST_F(UnknownOutcomeTest, AnotherWritersCommitIsNotTakenForOurs) {
  Transaction tx = BeginThrough();
  broken.UnknownPutIfAbsent(1, FaultEffect::kNothing);
  broken.Before(1, [this] { Append(*table, "winner"); }, StoreCall::kPutIfAbsent);
  EXPECT_EQ(MustCommit(tx.Commit()).version, Version{2});
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("winner", "mine"));
}

TEST_F(UnknownOutcomeTest, StaysUnknownWhenItCannotBeReadBack) {
  Transaction tx = BeginThrough();
  broken.Add({.nth = 1, .call = StoreCall::kRead, .times = storage::FaultTimes::kForEver});
  broken.UnknownPutIfAbsent(1, FaultEffect::kDone);
  const auto result = tx.Commit(Wait::For(clock, seconds(5)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnknownOutcome);
  // It did happen, and nothing was cleaned up.
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("mine"));
}

TEST_F(UnknownOutcomeTest, StaysUnknownWhenWhatWasSentMayStillTurnUp) {
  for (const bool in_time : {true, false}) {
    Transaction tx = BeginThrough();
    broken.ClearFaults();
    broken.Add({.nth = broken.calls(StoreCall::kPutIfAbsent) + 1,
                .call = StoreCall::kPutIfAbsent,
                .times = storage::FaultTimes::kForEver,
                .kind = ErrorKind::kUnknownOutcome});
    const auto wait = in_time ? Wait() : Wait::For(clock, std::chrono::nanoseconds(1'000'000));
    const auto result = tx.Commit(wait);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kUnknownOutcome);
  }
}

TEST_F(UnknownOutcomeTest, AFailedWriteIsTheStoresError) {
  Transaction tx = BeginThrough();
  broken.Add({.nth = 1, .call = StoreCall::kPutIfAbsent, .kind = ErrorKind::kNoSpace});
  EXPECT_EQ(tx.Commit().error().kind, ErrorKind::kNoSpace);
  EXPECT_EQ(OpenTable()->Latest().value()->version(), Version{0});
}

// -- the checksum file
// -------------------------------------------------------------------------------

TEST_F(TransactionTest, EveryCommitHasItsChecksumFile) {
  Append(*table, "a");
  Transaction tx = Begin();
  tx.Add(DataFile("bb"));
  tx.SetTxn("app", 9);
  MustCommit(tx.Commit());
  const std::string text = LogText("00000000000000000002.crc");
  JsonParser parser;
  const auto crc = parser.Parse(text);
  ASSERT_TRUE(crc) << text;
  EXPECT_EQ(crc->String("txnId"), tx.id());
  EXPECT_EQ(crc->Find("numFiles").AsInt(), 2);
  // "rows 1 of a" and "rows 1 of bb"
  EXPECT_EQ(crc->Find("tableSizeBytes").AsInt(), 11 + 12);
  EXPECT_EQ(crc->Find("numMetadata").AsInt(), 1);
  EXPECT_EQ(crc->Find("numProtocol").AsInt(), 1);
  EXPECT_EQ(crc->Find("metadata").String("id"), base->metadata().id);
  EXPECT_EQ(crc->Find("protocol").Find("minWriterVersion").AsInt(), 7);
  ASSERT_EQ(crc->Find("setTransactions").size(), 1u);
  EXPECT_THAT(text, HasSubstr(R"("setTransactions":[{"appId":"app","version":9,)"));
  EXPECT_NE(LogText("00000000000000000000.crc"), "");
}

TEST_F(TransactionTest, AChecksumFileIsNeverOverwritten) {
  PutLog("00000000000000000001.crc", "another writer's");
  Append(*table, "a");
  EXPECT_EQ(LogText("00000000000000000001.crc"), "another writer's");
}

TEST_F(TransactionTest, ACommitWithoutItsChecksumFileStands) {
  storage::FaultyStore broken(memory);
  const auto through = Table::Open(MakeEnvironment(broken), std::string(kRoot));
  Transaction tx(*through, through->Latest().value());
  tx.Add(DataFile("a"));
  broken.Add({.nth = 2, .call = StoreCall::kPutIfAbsent});
  const Committed done = MustCommit(tx.Commit());
  ASSERT_TRUE(done.checksum_error);
  EXPECT_EQ(done.checksum_error->kind, ErrorKind::kIo);
  EXPECT_EQ(OpenTable()->Latest().value()->version(), Version{1});
}

}  // namespace
}  // namespace vitalake::delta
