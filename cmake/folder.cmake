# SPDX-License-Identifier: GPL-2.0-or-later
# How a folder becomes a library and a test file becomes a CTest entry.

# buddylab_target(target): what every target of ours gets. Paths in messages
# and in debug information are relative to the source tree, so that two clones
# build the same bytes; a * b + c is rounded twice on every machine, so that a
# derived ratio is the same number with and without fused instructions.
function(buddylab_target target)
  buddylab_set_warnings(${target})
  buddylab_add_sanitizers(${target})
  buddylab_harden(${target})
  target_compile_options(${target} PRIVATE
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffp-contract=off)
  if(BUDDYLAB_LTO)
    set_target_properties(${target} PROPERTIES
      INTERPROCEDURAL_OPTIMIZATION ON)
  endif()
endfunction()

# buddylab_count_branches(target): gcc counts each branch of the target, as it is
# written: without optimisation, and with no function copied into its callers.
# Only one thread is ever in these folders. docs/coverage.md has the reasons.
function(buddylab_count_branches target)
  target_compile_options(${target} PRIVATE
    -O0 --coverage -fprofile-update=single -Dalways_inline=unused)
  target_link_options(${target} INTERFACE --coverage)
endfunction()

# buddylab_folder(name SOURCES a.c b.c LINK other folders and libraries)
# One static library buddylab_<name>; includes are spelled from the root. LINK
# repeats the include table of docs/architecture.md: what a folder may not
# include, it does not link either.
function(buddylab_folder name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(buddylab_${name} STATIC ${ARG_SOURCES})
  target_include_directories(buddylab_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(buddylab_${name} PUBLIC ${ARG_LINK})
  buddylab_target(buddylab_${name})
  if(name IN_LIST BUDDYLAB_COVERAGE)
    buddylab_count_branches(buddylab_${name})
  endif()
  # Sections of the intermediate code have random names otherwise.
  if(BUDDYLAB_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    foreach(source ${ARG_SOURCES})
      cmake_path(GET source FILENAME file)
      set_property(SOURCE ${source} APPEND PROPERTY
        COMPILE_OPTIONS -frandom-seed=${name}/${file})
    endforeach()
  endif()
endfunction()

# buddylab_test(name SOURCES ... LINK ... LABELS ... [ARGS ...] [TIMEOUT s]):
# one CTest entry for one CMocka program; `<program> NAME` runs cases whose
# names match the pattern NAME. LABELS: unit, contract, golden, fuzz, smoke,
# slow; see CONTRIBUTING.md.
function(buddylab_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS;ARGS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} PkgConfig::CMOCKA)
  target_compile_definitions(${name} PRIVATE
    TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data")
  buddylab_target(${name})
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT ${BUDDYLAB_TEST_TIMEOUT})
  endif()
  set_tests_properties(${name} PROPERTIES
    LABELS "${ARG_LABELS}" SKIP_RETURN_CODE 77 TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "${BUDDYLAB_TEST_ENV}")
endfunction()
