// PageArena: memory for data that is made together and forgotten together.
//
// Given out in large pieces that the kernel may back with huge pages: few page faults and few
// misses of the address translation when the data is read in another order than it was made.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

namespace vitalake {

// Not thread-safe.
class PageArena {
 public:
  // At a multiple of `alignment` (a power of two, at most 64). Stays where it is until Clear;
  // uninitialised.
  char* Allocate(size_t bytes, size_t alignment = 1);
  // Takes everything back and keeps the memory for the next, but for what was larger than a piece.
  void Clear();
  // The same, but gives back all beyond the first pieces: it keeps at most 4.25 MiB.
  void Shrink();

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  struct Piece {
    std::unique_ptr<char[], Free> memory;
    size_t bytes = 0;
  };
  static Piece MakePiece(size_t bytes);
  void NextPiece(size_t bytes);

  std::vector<Piece> pieces_;
  std::vector<Piece> large_;  // one allocation each
  size_t piece_ = 0;          // in use, of pieces_
  size_t used_ = 0;           // bytes of it
};

}  // namespace vitalake
