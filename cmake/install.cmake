# SPDX-License-Identifier: GPL-2.0-or-later
# What `cmake --install` puts where. For reporters out of tree
# (docs/writing-a-reporter.md): the headers, the library for tests of a design's
# own, and two ways to find them. Two components: `program`, and `development`
# for those who write reporters; tests/package/manifest.txt lists the files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME program)

# buddylab_exports(program): plugins find the calls of the headers in it.
function(buddylab_exports program)
  set(list ${PROJECT_SOURCE_DIR}/cmake/plugin.list)
  target_link_options(${program} PRIVATE -Wl,--dynamic-list=${list})
  set_property(TARGET ${program} APPEND PROPERTY LINK_DEPENDS ${list})
endfunction()

install(TARGETS buddylab RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS scripts/buddylab-record scripts/buddylab-record.bt
                 scripts/buddylab-snapshot
  DESTINATION ${CMAKE_INSTALL_DATADIR}/buddylab)
# Experiments, and what they and the published claims are made of: paths in
# them are relative to each other.
foreach(folder experiments predictions prices published)
  install(DIRECTORY bench/${folder} DESTINATION ${CMAKE_INSTALL_DATADIR}/buddylab)
endforeach()
install(FILES README.md CHANGELOG.md LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR}
  FILES_MATCHING PATTERN "*.md" PATTERN docs/man EXCLUDE)

# Public headers, in their folders: includes are spelled from the root.
foreach(header
    alloc/alloc.h alloc/gfp.h alloc/hooks.h alloc/profile.h
    include/bitmap.h include/check.h include/digest.h include/option.h
    include/rng.h include/types.h
    reporter/counters.h reporter/env.h reporter/plugin.h reporter/reporter.h
    reporter/request.h reporter/sync_env.h)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${header}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/buddylab/${folder}
    COMPONENT development)
endforeach()
# To start from.
install(FILES reporter/skeleton.c docs/writing-a-reporter.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/buddylab/reporter
  COMPONENT development)

# The allocator, the designs and the environment without a machine.
add_library(buddylab_library STATIC
  $<TARGET_OBJECTS:buddylab_include> $<TARGET_OBJECTS:buddylab_alloc>
  $<TARGET_OBJECTS:buddylab_reporter>)
if(BUDDYLAB_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # Machine code beside the intermediate, for any other compiler.
  foreach(folder include alloc reporter)
    target_compile_options(buddylab_${folder} PRIVATE -ffat-lto-objects)
  endforeach()
endif()
set_target_properties(buddylab_library PROPERTIES
  OUTPUT_NAME buddylab LINKER_LANGUAGE C)
install(TARGETS buddylab_library ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  COMPONENT development)

# From the .pc files to the prefix, so that the tree may be moved.
file(RELATIVE_PATH pc_to_prefix
  /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
file(READ reporter/plugin.h plugin_header)
string(REGEX MATCH "BUDDYLAB_REPORTER_ABI ([0-9]+)" _ "${plugin_header}")
set(BUDDYLAB_REPORTER_ABI ${CMAKE_MATCH_1})
foreach(module buddylab buddylab-reporter)
  configure_file(cmake/${module}.pc.in ${module}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${module}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endforeach()
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/buddylab)
configure_package_config_file(cmake/buddylabConfig.cmake.in
  buddylabConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR
            CMAKE_INSTALL_BINDIR CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/buddylabConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/buddylabConfig.cmake
              ${PROJECT_BINARY_DIR}/buddylabConfigVersion.cmake
  DESTINATION ${package} COMPONENT development)
