# add_earmark_library(ROOM [TORCH] SOURCES ... [USES other rooms ...] [LINKS private libraries ...])
# add_earmark_test(ROOM [TORCH] SOURCES ... USES rooms ... [LINKS libraries ...])
# TORCH: files include libtorch's headers

add_library(earmark_options INTERFACE)
target_compile_features(earmark_options INTERFACE cxx_std_20)
target_compile_options(earmark_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-psabi -Wno-restrict)
foreach(sanitizer IN LISTS EARMARK_SANITIZE)
  target_compile_options(earmark_options INTERFACE -fsanitize=${sanitizer} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(earmark_options INTERFACE -fsanitize=${sanitizer})
endforeach()

# earmark_precompile(TARGET KIND HEADERS...): headers that most files include are parsed once for all targets of a KIND, which are
# compiled with the same options. Rooms go without (but for libtorch's) in what users build, where every file proves its own
# includes, and have them in a sanitised build.
set(earmark_common_headers <algorithm> <filesystem> <fmt/format.h> <fmt/ranges.h> <functional> <map> <memory> <optional> <set>
  <span> <string> <thread> <variant> <vector>)
function(earmark_precompile target kind)
  get_property(owner GLOBAL PROPERTY earmark_precompiled_${kind})
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
    set_property(GLOBAL PROPERTY earmark_precompiled_${kind} ${target})
  endif()
endfunction()

# earmark_unite(TARGET): files are compiled six together, which share what templates cost: a quarter of the time with libtorch's, two
# thirds in a sanitised build. Where users build, the other rooms stay apart: each of their files proves its own includes.
function(earmark_unite target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${EARMARK_UNITE} UNITY_BUILD_BATCH_SIZE 6)
endfunction()

# Rooms are static, position-independent libraries: tests link just the rooms they exercise, and
# src/library gathers all of them into the one shared libearmark that programs use.
function(add_earmark_library room)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;USES;LINKS" ${ARGN})
  if(NOT arg_SOURCES)
    add_library(earmark_${room} INTERFACE)
    return()
  endif()
  add_library(earmark_${room} STATIC ${arg_SOURCES})
  set_target_properties(earmark_${room} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(arg_TORCH)
    earmark_precompile(earmark_${room} torch_rooms <torch/torch.h>)
  elseif(EARMARK_SANITIZE AND NOT "OpenMP::OpenMP_CXX" IN_LIST arg_LINKS)
    earmark_precompile(earmark_${room} rooms ${earmark_common_headers})
  endif()
  if(arg_TORCH OR EARMARK_SANITIZE)
    earmark_unite(earmark_${room})
  endif()
  target_include_directories(earmark_${room} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  set_property(GLOBAL APPEND PROPERTY earmark_links ${arg_LINKS})  # for src/library
  list(TRANSFORM arg_USES PREPEND earmark_)
  target_link_libraries(earmark_${room} PUBLIC ${arg_USES} PRIVATE earmark_options ${arg_LINKS})
endfunction()

function(add_earmark_test room)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;USES;LINKS" ${ARGN})
  set(sources)
  set(n_wanted 0)
  foreach(source IN LISTS arg_SOURCES)
    file(STRINGS ${source} tests REGEX "^TEST")
    if(tests MATCHES "${EARMARK_TESTS_MATCHING}")
      math(EXPR n_wanted "${n_wanted} + 1")
    elseif(tests)
      continue()
    endif()
    list(APPEND sources ${source})  # wanted, or what tests share
  endforeach()
  if(n_wanted EQUAL 0)
    return()
  endif()
  add_executable(test_${room} ${sources})
  # Tests are compiled for a single run (but -O0 costs more than it saves: some reckon long); what is measured and watched are the rooms.
  target_compile_options(test_${room} PRIVATE -O1)
  if(arg_TORCH)
    earmark_precompile(test_${room} torch_tests <gtest/gtest.h> <torch/torch.h> ${earmark_common_headers})
  elseif(NOT "OpenMP::OpenMP_CXX" IN_LIST arg_LINKS)
    earmark_precompile(test_${room} tests <gtest/gtest.h> ${earmark_common_headers})
  endif()
  earmark_unite(test_${room})
  list(TRANSFORM arg_USES PREPEND earmark_)
  target_include_directories(test_${room} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${room} PRIVATE EARMARK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(test_${room} PRIVATE ${arg_USES} ${arg_LINKS} earmark_options GTest::gtest GTest::gtest_main)
  # A second thread of OpenBLAS would spin beside whatever else runs.
  gtest_discover_tests(test_${room} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 900 ENVIRONMENT OPENBLAS_NUM_THREADS=1)
endfunction()

# earmark_embed(VARIABLE FOLDER TABLE HEADER): a C++ file, named in VARIABLE, that holds the YAML files of FOLDER;
# HEADER declares `extern const std::span<const EmbeddedText> TABLE`.
function(earmark_embed variable folder table header)
  file(GLOB texts CONFIGURE_DEPENDS ${folder}/*.yaml)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/embedded_${folder}.cpp)
  list(JOIN texts "," files)
  add_custom_command(OUTPUT ${made}
    COMMAND ${CMAKE_COMMAND} -D OUT=${made} -D HEADER=${header} -D TABLE=${table} -D FILES=${files}
      -P ${PROJECT_SOURCE_DIR}/cmake/EmbedTexts.cmake
    DEPENDS ${texts} ${PROJECT_SOURCE_DIR}/cmake/EmbedTexts.cmake VERBATIM)
  set(${variable} ${made} PARENT_SCOPE)
endfunction()
