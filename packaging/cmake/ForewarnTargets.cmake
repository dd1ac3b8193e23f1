# Our own sources meet the preset's warnings; generated and foreign code does
# not have to.
set(FOREWARN_WARNINGS "" CACHE STRING "warning flags for our own sources")
function(forewarn_warnings target)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    separate_arguments(flags UNIX_COMMAND "${FOREWARN_WARNINGS}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # False alarms of GCC 12's optimiser (GCC bugs 105651, 105329, 105562).
      list(APPEND flags -Wno-restrict -Wno-error=maybe-uninitialized
        -Wno-error=array-bounds -Wno-error=stringop-overflow)
    endif()
    target_compile_options(${target} PRIVATE ${flags})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  endif()
endfunction()

# forewarn_library(<room> HDRS ... SRCS ... DEPS ... PRIVATE_DEPS ...)
#
# One target per room, forewarn::<room>. HDRS and SRCS are paths in the
# room's own folder; DEPS are the direct dependencies that headers show,
# PRIVATE_DEPS those that only sources need.
function(forewarn_library name)
  cmake_parse_arguments(ARG "" "" "HDRS;SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SRCS)
    add_library(forewarn_${name} STATIC ${ARG_SRCS})
    set(scope PUBLIC)
    target_link_libraries(forewarn_${name} PRIVATE ${ARG_PRIVATE_DEPS})
  else()
    add_library(forewarn_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(forewarn::${name} ALIAS forewarn_${name})
  target_sources(forewarn_${name} ${scope} FILE_SET HEADERS
    BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ARG_HDRS})
  target_link_libraries(forewarn_${name} ${scope} ${ARG_DEPS})
  forewarn_warnings(forewarn_${name})
endfunction()

# forewarn_program(<target> NAME <file name> SRCS ... DEPS ...)
function(forewarn_program target)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS" ${ARGN})
  add_executable(${target} ${ARG_SRCS})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${ARG_NAME})
  target_link_libraries(${target} PRIVATE ${ARG_DEPS})
  forewarn_warnings(${target})
endfunction()

# forewarn_static_program(<target> NAME <file name> SRCS ... DEPS ...
#                         ROOMS ... STATIC ... SHARED ...)
#
# A program that carries its libraries in itself: a private copy of what it
# uses costs less memory than whole shared libraries that nobody else on the
# machine has loaded. DEPS are for compiling; what is linked is named anew, as
# Debian's CMake packages know the shared libraries only: ROOMS are ours, all
# of them; STATIC are pkg-config's names; SHARED has no archive.
function(forewarn_static_program target)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS;ROOMS;STATIC;SHARED" ${ARGN})
  add_library(${target}_objects OBJECT ${ARG_SRCS})
  target_link_libraries(${target}_objects PRIVATE ${ARG_DEPS})
  forewarn_warnings(${target}_objects)
  add_executable(${target} $<TARGET_OBJECTS:${target}_objects>)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${ARG_NAME}
    LINKER_LANGUAGE CXX)
  set(rooms ${ARG_ROOMS})
  list(TRANSFORM rooms PREPEND "forewarn_")
  add_dependencies(${target} ${rooms})
  list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_FILE:\\1>")
  pkg_check_modules(${target} REQUIRED QUIET ${ARG_STATIC})
  # As -lNAME, or a CMake target of that name would be taken.
  set(archives ${${target}_STATIC_LIBRARIES})
  list(TRANSFORM archives PREPEND "-l")
  target_link_libraries(${target} PRIVATE -Wl,--start-group ${rooms}
    -Wl,-Bstatic ${archives} -Wl,-Bdynamic -Wl,--end-group
    ${ARG_SHARED})
  target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc
    -Wl,--gc-sections -Wl,--exclude-libs,ALL)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS
    $<TARGET_OBJECTS:${target}_objects> ${rooms})
endfunction()

# forewarn_test(<name> DEPS ...): tests/unit mirrors the tree; the source is
# <name>.cc in the current folder. Every TEST is one CTest test.
function(forewarn_test name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${name}.cc ${ARG_SRCS})
  forewarn_warnings(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} forewarn::test_support
    GTest::gtest_main GTest::gmock)
  target_compile_definitions(${name} PRIVATE
    FOREWARN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 600)
endfunction()
