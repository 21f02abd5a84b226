# SPDX-License-Identifier: GPL-2.0-or-later
# buddylab_harden(target): what makes a memory error in a reader of others'
# files harder to use: guards on the stack, checked string calls, a program that
# is loaded anywhere, no table that can be written once it runs, no stack that
# can be executed. docs/analysis.md has what it costs; tests/analysis checks the
# program for it. _FORTIFY_SOURCE needs optimisation, and the sanitizers have
# checks of their own in the same place.
option(BUDDYLAB_HARDEN "Compile and link with guards" ON)

function(buddylab_harden target)
  if(NOT BUDDYLAB_HARDEN)
    return()
  endif()
  get_target_property(type ${target} TYPE)
  target_compile_options(${target} PRIVATE -fstack-protector-strong)
  if(NOT BUDDYLAB_SANITIZE AND NOT BUDDYLAB_FUZZ AND
     NOT CMAKE_C_FLAGS MATCHES "_FORTIFY_SOURCE")
    target_compile_options(${target} PRIVATE
      $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
      $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  endif()
  if(type STREQUAL "EXECUTABLE")
    target_compile_options(${target} PRIVATE -fPIE)
    target_link_options(${target} PRIVATE -pie)
  elseif(type STREQUAL "STATIC_LIBRARY")
    target_compile_options(${target} PRIVATE -fPIE)
  endif()
  target_link_options(${target} PRIVATE
    LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
endfunction()
