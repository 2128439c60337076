# Programs with a planted fault: they prove that a test would find it. Nothing of it is in what is shipped.

find_program(WSROUTER_PATCH patch REQUIRED)

# wsrouter_mutant(NAME FILE path OBJECTS target SEEDS count)
# Applies tests/mutants/NAME.patch to a copy of FILE (below server/) and links the mutant of the test
# whose OBJECTS these are: what the changed file defines takes precedence over the library's. The test
# passes when the mutant breaks an invariant within so many seeds.
function(wsrouter_mutant name)
  cmake_parse_arguments(ARG "" "FILE;OBJECTS;SEEDS" "" ${ARGN})
  set(patch ${PROJECT_SOURCE_DIR}/tests/mutants/${name}.patch)
  set(original ${PROJECT_SOURCE_DIR}/server/${ARG_FILE})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/mutants/${name})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${patch} ${original})
  get_filename_component(file ${ARG_FILE} NAME)
  file(MAKE_DIRECTORY ${folder}/patched)
  execute_process(
    COMMAND ${WSROUTER_PATCH} --silent --forward --output=${folder}/patched/${file} --reject-file=-
            ${original} ${patch}
    RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${patch} does not apply to server/${ARG_FILE}")
  endif()

  if(file MATCHES "[.]lua$")
    file(GLOB scripts ${PROJECT_SOURCE_DIR}/server/engine/lua/*.lua)
    list(REMOVE_ITEM scripts ${original})
    list(APPEND scripts ${folder}/patched/${file})
    set(common ${scripts})
    list(FILTER common INCLUDE REGEX "/rows[.]lua$")
    list(REMOVE_ITEM scripts ${common})
    set(mutated)
    wsrouter_lua(mutated COMMON ${common} SCRIPTS ${scripts} INTO ${folder})
  else()
    set(mutated ${folder}/${file})
    file(COPY_FILE ${folder}/patched/${file} ${mutated} ONLY_IF_DIFFERENT)
  endif()

  set(program mutant_${name})
  add_executable(${program} $<TARGET_OBJECTS:${ARG_OBJECTS}> ${mutated})
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_link_libraries(${program} PRIVATE wsrouter_engine PkgConfig::HIREDIS GTest::gmock
                                           GTest::gtest_main wsrouter_hardening wsrouter_warnings)
  add_test(NAME ${program} COMMAND ${PROJECT_SOURCE_DIR}/tests/mutants/expect_found.sh
                                   $<TARGET_FILE:${program}>)
  set_tests_properties(${program} PROPERTIES LABELS integration TIMEOUT 120
                       ENVIRONMENT "${WSROUTER_TEST_ENVIRONMENT};WSROUTER_MODEL_SEEDS=${ARG_SEEDS}")
endfunction()
