# SPDX-License-Identifier: GPL-2.0-or-later
# buddylab_check_headers(folder...): compile every header of these folders alone,
# and twice in a row, so that none leans on what its users happen to include
# before it. Headers are found by glob, because the point is to miss none.
function(buddylab_check_headers)
  set(units)
  foreach(folder ${ARGN})
    file(GLOB headers CONFIGURE_DEPENDS
      RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${folder}/*.h)
    foreach(header ${headers})
      string(REPLACE "/" "_" unit ${header})
      set(unit ${PROJECT_BINARY_DIR}/headers/${unit}.c)
      file(CONFIGURE OUTPUT ${unit}
        CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
      list(APPEND units ${unit})
    endforeach()
  endforeach()
  if(NOT units)
    return()
  endif()
  add_library(buddylab_headers OBJECT ${units})
  target_include_directories(buddylab_headers PRIVATE ${PROJECT_SOURCE_DIR})
  # Libraries whose types appear in a header of ours.
  target_link_libraries(buddylab_headers PRIVATE
    PkgConfig::JANSSON PkgConfig::HWLOC PkgConfig::ZSTD PkgConfig::XXHASH)
  buddylab_set_warnings(buddylab_headers)
endfunction()
