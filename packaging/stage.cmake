# SPDX-License-Identifier: GPL-2.0-or-later
# Run by cpack between installing and packing, in the staged tree: what Debian's
# policy wants of a package that `cmake --install` has no use for.
list(GET CPACK_BUILD_SOURCE_DIRS 0 source)
list(GET CPACK_BUILD_SOURCE_DIRS 1 binary)
set(stage ${CPACK_TEMPORARY_INSTALL_DIRECTORY})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Manual pages and changelogs are compressed, without name and time.
function(compress)
  run(gzip -9nf ${ARGN})
endfunction()

foreach(pair "program buddylab" "development libbuddylab-dev")
  separate_arguments(pair)
  list(GET pair 0 component)
  list(GET pair 1 package)
  set(root ${stage}/${component}/usr)
  set(doc ${root}/share/doc/${package})
  file(COPY ${binary}/packaging/copyright DESTINATION ${doc})
  file(COPY_FILE ${binary}/packaging/changelog ${doc}/changelog.Debian)
  file(COPY_FILE ${source}/CHANGELOG.md ${doc}/changelog)
  compress(${doc}/changelog ${doc}/changelog.Debian)
  # The licence is in copyright, the changelog under Debian's name.
  file(REMOVE ${doc}/LICENSE ${doc}/CHANGELOG.md)
  if(EXISTS ${source}/packaging/${package}.lintian)
    file(MAKE_DIRECTORY ${root}/share/lintian/overrides)
    file(COPY_FILE ${source}/packaging/${package}.lintian
      ${root}/share/lintian/overrides/${package})
  endif()
  file(GLOB_RECURSE pages ${root}/share/man/*)
  if(pages)
    compress(${pages})
  endif()
  # As dh_strip does it: libraries are for another compiler, too, and have no
  # use for the intermediate language of this one.
  if(EXISTS ${root}/bin/buddylab)
    run(strip --remove-section=.comment --remove-section=.note
      ${root}/bin/buddylab)
  endif()
  file(GLOB_RECURSE libraries ${root}/*.a)
  foreach(library ${libraries})
    run(strip --strip-debug --enable-deterministic-archives
      --remove-section=.comment --remove-section=.note
      -R .gnu.lto_* -R .gnu.debuglto_* -N __gnu_lto_slim -N __gnu_lto_v1
      ${library})
  endforeach()
  file(GLOB_RECURSE files LIST_DIRECTORIES true ${stage}/${component}/*)
  foreach(path ${files})
    if(IS_DIRECTORY ${path})
      file(CHMOD ${path} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
        GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    endif()
  endforeach()
  file(GLOB_RECURSE texts ${root}/share/doc/* ${root}/share/lintian/*
    ${root}/share/man/* ${root}/*.a)
  file(CHMOD ${texts}
    PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()
