// text.h: names and numbers as the tagger's outputs write them.
#pragma once
#include <string>
#include <string_view>

namespace earmark {

/// Bytes that are no valid UTF-8 become \xHH.
std::string escape_invalid_utf8(std::string_view bytes);

/// Control characters become \n, \t or \xHH: for outputs in which a line end ends the row.
std::string single_line(std::string_view text);

/// A JSON string with its quotes. @param text valid UTF-8.
std::string json_text(std::string_view text);

/// At most six decimals, at least one: 5 -> "5.0", 0.25 -> "0.25".
std::string decimal(double number);

/// How many columns of a terminal the text takes, counting each code point once.
std::size_t display_width(std::string_view text);

/// The first `width` code points, with an ellipsis where something was left out.
std::string shortened(std::string_view text, std::size_t width);

}  // namespace earmark
