// The known word nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vitalake {

// Letters to insert, delete, replace or swap with their neighbour to make `a` of `b`.
// Cost: |a| x |b|.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate with the smallest distance, the first of equals; "" when there is no candidate or
// every one differs in more than half of its letters.
std::string Nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace vitalake
