// picture_text.h: a text inside a picture's file, where programs that show it keep it and people can find it.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace earmark {

/// A text chunk of international characters (iTXt, keyword "earmark") before the first chunk of pixels.
/// @param png a whole file. @throws Error(kInternal) when it is none.
void add_text_to_png(std::vector<std::byte>& png, std::string_view text);
/// `<metadata>` as the drawing's first child. @throws Error(kInternal) when there is no <svg>.
void add_text_to_svg(std::vector<std::byte>& svg, std::string_view text);

}  // namespace earmark
