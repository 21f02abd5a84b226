# SPDX-License-Identifier: GPL-2.0-or-later
# The manual, by scdoc, and completion of shells: both are made of the tables
# that the program parses with, so that they cannot say something else.
buddylab_target(buddylab-manual)
buddylab_exports(buddylab-manual)

find_program(SCDOC scdoc)
if(SCDOC)
  set(man ${PROJECT_BINARY_DIR}/man)
  file(GLOB pages CONFIGURE_DEPENDS docs/man/*.scd)
  add_custom_command(OUTPUT ${man}.stamp
    COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=${BUDDYLAB_EPOCH}
            ${PROJECT_SOURCE_DIR}/cmake/manual.sh
            $<TARGET_FILE:buddylab-manual> ${PROJECT_SOURCE_DIR}/docs/man ${man}
    COMMAND ${CMAKE_COMMAND} -E touch ${man}.stamp
    DEPENDS buddylab-manual cmake/manual.sh ${pages}
    COMMENT "Making the manual" VERBATIM)
  add_custom_target(manual ALL DEPENDS ${man}.stamp)
  install(DIRECTORY ${man}/ DESTINATION ${CMAKE_INSTALL_MANDIR})
else()
  message(STATUS "no scdoc: the manual is not made")
endif()

set(shells ${PROJECT_BINARY_DIR}/completion)
add_custom_command(OUTPUT ${shells}/buddylab ${shells}/_buddylab
  COMMAND ${CMAKE_COMMAND} -E make_directory ${shells}
  COMMAND buddylab completion bash > ${shells}/buddylab
  COMMAND buddylab completion zsh > ${shells}/_buddylab
  DEPENDS buddylab COMMENT "Making completion of shells" VERBATIM)
add_custom_target(completion ALL
  DEPENDS ${shells}/buddylab ${shells}/_buddylab)
install(FILES ${shells}/buddylab
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${shells}/_buddylab
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
