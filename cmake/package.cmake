# SPDX-License-Identifier: GPL-2.0-or-later
# Debian packages by CPack: `cmake --workflow --preset deb`. Two of them, as
# there are two components: buddylab, and libbuddylab-dev for those who write
# reporters. What Debian asks for beyond the installed files packaging/stage.cmake
# adds to the staged tree; tests/package holds lintian against the result. The
# default address is nobody's, and one that can never be anybody's (RFC 2606):
# whoever gives packages to others sets their own.
set(BUDDYLAB_MAINTAINER "buddylab developers <buddylab@packages.invalid>"
  CACHE STRING "Maintainer of the packages: Name <address>")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME buddylab)
set(CPACK_PACKAGE_VENDOR "buddylab developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGE_CONTACT "${BUDDYLAB_MAINTAINER}")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_BINARY_DIR}/packaging/config.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/stage.cmake)

set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME buddylab)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS
  "gnuplot-nox | gnuplot, parallel, python3-matplotlib")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS
  "bpftrace, libbuddylab-dev, python3, slurm-client, trace-cmd")
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION
"laboratory for free-memory reporting of virtual machines
How a guest kernel tells its hypervisor which memory is free, and what that
costs both of them. A twin of the Linux page allocator runs workloads or
recorded traces in virtual time; a reporter, the design under study, gives
free blocks to a model of the host; and the host counts faults, cleared pages,
split huge pages and swap. Designs of the field are built in, others are
loaded.

Experiments are text files; results are exact, repeatable and compared with a
baseline; tables and figures are for a terminal, a mail or a page.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libbuddylab-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "buddylab (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), libc6-dev, libxxhash-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
"reporters for buddylab - headers and static library
What a reporter out of tree is built with: headers, a design to start from, a
CMake package and pkg-config modules, and what compiles page reporting of a
kernel tree into one. The library holds the page allocator and the designs, for
tests of a design's own.")

# Times in packages are the version's, not the clock's.
set(packages ${PROJECT_BINARY_DIR}/packaging)
set(clock $ENV{SOURCE_DATE_EPOCH})
set(ENV{SOURCE_DATE_EPOCH} ${BUDDYLAB_EPOCH})
string(TIMESTAMP BUDDYLAB_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
if(clock)
  set(ENV{SOURCE_DATE_EPOCH} ${clock})
else()
  unset(ENV{SOURCE_DATE_EPOCH})
endif()
foreach(file config.cmake changelog copyright)
  configure_file(packaging/${file}.in ${packages}/${file} @ONLY)
endforeach()
include(CPack)
