# cmake -DFOLDER=<rules> -DOUTPUT=<file.cc> -P embed_rules.cmake
#
# Writes every *.yaml of FOLDER into a C++ source, in name order. Compilers
# take string literals of at most 64 KiB, so long files are cut into chunks.
file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/*.yaml)
list(SORT names)
set(text "// Generated from collector/detect/rules.\n")
string(APPEND text "#include \"collector/detect/rule_set.h\"\n\n")
string(APPEND text "namespace forewarn::detect {\nnamespace {\n\n")
set(table "")
set(number 0)
foreach(name IN LISTS names)
  # Read as hex and back byte by byte: CMake lists would eat ; and [ ].
  file(READ ${FOLDER}/${name} hex HEX)
  string(LENGTH "${hex}" length)
  string(APPEND text "constexpr char kFile${number}[] =\n")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${hex}" ${at} 64 line)
    string(REGEX REPLACE "(..)" "\\\\x\\1" line "${line}")
    string(APPEND text "    \"${line}\"\n")
    math(EXPR at "${at} + 64")
  endwhile()
  if(length EQUAL 0)
    string(APPEND text "    \"\"\n")
  endif()
  string(APPEND text "    ;\n")
  math(EXPR bytes "${length} / 2")
  string(APPEND table
    "    {\"${name}\", absl::string_view(kFile${number}, ${bytes})},\n")
  math(EXPR number "${number} + 1")
endforeach()
if(number EQUAL 0)
  string(APPEND text "}  // namespace\n\n"
    "absl::Span<const EmbeddedFile> ShippedRules() { return {}; }\n\n")
else()
  string(APPEND text "\nconst EmbeddedFile kFiles[] = {\n${table}};\n\n"
    "}  // namespace\n\n"
    "absl::Span<const EmbeddedFile> ShippedRules() { return kFiles; }\n\n")
endif()
string(APPEND text "}  // namespace forewarn::detect\n")
file(WRITE ${OUTPUT} "${text}")
