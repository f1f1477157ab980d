# Run as a script: writes a C++ file that holds text files, so that the library carries what it is declared by.
#   cmake -D OUT=file.cpp -D HEADER=data/x.h -D TABLE=name -D FILES=a.yaml,b.yaml -P EmbedTexts.cmake
# HEADER declares `extern const std::span<const EmbeddedText> TABLE`.
string(REPLACE "," ";" files "${FILES}")
set(entries)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND entries "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
file(WRITE ${OUT} "// Made by EmbedTexts.cmake from the files it names.
#include \"${HEADER}\"

namespace earmark {
namespace {
const EmbeddedText ${TABLE}_texts[] = {
${entries}};
}  // namespace
const std::span<const EmbeddedText> ${TABLE}{${TABLE}_texts};
}  // namespace earmark
")
