// Percent-encoding, as in URLs and the paths of a Delta log. Source: RFC 3986, section 2.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vitalake {

// The byte that the escape at the begin of the text ("%2Fb") stands for; nullopt: there is none.
std::optional<char> EscapedByte(std::string_view text);

// "a%2Fb" -> "a/b"; nullopt for a bad escape. `plus_is_space`: as in a query.
std::optional<std::string> PercentDecoded(std::string_view text, bool plus_is_space);

// "a/b c" -> "a%2Fb%20c": all but letters, digits and -._~ is escaped.
std::string PercentEncoded(std::string_view text);

}  // namespace vitalake
