#include "base/page_arena.h"

#include <sys/mman.h>

#include <new>
#include <utility>

namespace vitalake {
namespace {

constexpr size_t kHugePage = 2 << 20;
constexpr size_t kFirstBytes = 256 << 10;  // little data takes little
constexpr size_t kPieceBytes = 2 * kHugePage;

size_t AlignUp(size_t at, size_t alignment) { return (at + alignment - 1) & ~(alignment - 1); }

}  // namespace

PageArena::Piece PageArena::MakePiece(size_t bytes) {
  const bool huge = bytes >= kHugePage;
  const size_t alignment = huge ? kHugePage : 64;
  Piece piece;
  piece.bytes = AlignUp(bytes, alignment);
  piece.memory.reset(static_cast<char*>(std::aligned_alloc(alignment, piece.bytes)));
  if (!piece.memory) throw std::bad_alloc();
  // Only a hint.
  if (huge) (void)::madvise(piece.memory.get(), piece.bytes, MADV_HUGEPAGE);
  return piece;
}

void PageArena::NextPiece(size_t bytes) {
  if (!pieces_.empty()) ++piece_;
  if (piece_ < pieces_.size() && pieces_[piece_].bytes < bytes) ++piece_;  // the first, small one
  if (piece_ >= pieces_.size()) {
    const bool small = pieces_.empty() && bytes <= kFirstBytes;
    pieces_.push_back(MakePiece(small ? kFirstBytes : kPieceBytes));
    piece_ = pieces_.size() - 1;
  }
  used_ = 0;
}

char* PageArena::Allocate(size_t bytes, size_t alignment) {
  if (bytes > kPieceBytes / 2) {
    large_.push_back(MakePiece(bytes));
    return large_.back().memory.get();
  }
  size_t at = AlignUp(used_, alignment);
  if (pieces_.empty() || at + bytes > pieces_[piece_].bytes) {
    NextPiece(bytes);
    at = 0;
  }
  used_ = at + bytes;
  return pieces_[piece_].memory.get() + at;
}

void PageArena::Clear() {
  large_.clear();
  piece_ = 0;
  used_ = 0;
}

void PageArena::Shrink() {
  Clear();
  constexpr size_t kKept = 2;
  if (pieces_.size() > kKept) pieces_.resize(kKept);
}

}  // namespace vitalake
