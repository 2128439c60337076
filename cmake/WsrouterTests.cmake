# The functions that tests/CMakeLists.txt is written in.

find_package(GTest CONFIG REQUIRED)

set(WSROUTER_LABELS unit contract integration e2e fuzz tidy)

# What every test finds in its environment, whatever it is written in.
set(WSROUTER_TEST_ENVIRONMENT
  WSROUTER_SOURCE_DIR=${PROJECT_SOURCE_DIR}
  WSROUTER_BUILD_DIR=${PROJECT_BINARY_DIR}
  WSROUTER_GRPCURL=${PROJECT_BINARY_DIR}/tools/grpcurl
  ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
  LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0
  UBSAN_OPTIONS=print_stacktrace=1
  TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp:halt_on_error=1)

function(wsrouter_check_label label)
  if(NOT label IN_LIST WSROUTER_LABELS)
    message(FATAL_ERROR "LABEL is '${label}', wanted one of ${WSROUTER_LABELS}")
  endif()
endfunction()

# wsrouter_test(NAME SRCS file... DEPS target... LABEL label [TIMEOUT seconds])
# One binary a layer: links are the slow part. Integration and end-to-end tests become one ctest entry
# a TEST, each with the timeout; the others run as one entry a binary, where a process a test would cost
# more than the tests.
function(wsrouter_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SRCS;DEPS" ${ARGN})
  wsrouter_check_label("${ARG_LABEL}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SRCS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/server ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main wsrouter_hardening
                                        wsrouter_warnings)
  target_compile_definitions(${name} PRIVATE WSROUTER_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             WSROUTER_BUILD_DIR="${PROJECT_BINARY_DIR}")
  set(properties LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABEL STREQUAL "integration" OR ARG_LABEL STREQUAL "e2e")
    include(GoogleTest)
    if(ARG_LABEL STREQUAL "e2e")
      list(APPEND properties FIXTURES_REQUIRED grpcurl)
    endif()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
    # Discovery cannot pass on a property that is a list, so ctest reads this one behind it.
    set(script ${CMAKE_CURRENT_BINARY_DIR}/${name}_environment.cmake)
    file(CONFIGURE OUTPUT ${script} @ONLY CONTENT [[
if(@name@_TESTS)
  set_tests_properties(${@name@_TESTS} PROPERTIES ENVIRONMENT "@WSROUTER_TEST_ENVIRONMENT@")
endif()
]])
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${script})
  else()
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES ${properties} ENVIRONMENT "${WSROUTER_TEST_ENVIRONMENT}")
  endif()
endfunction()

# wsrouter_test_objects(NAME SRCS file... DEPS target...): what several test programs are linked from.
function(wsrouter_test_objects name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(${name} OBJECT ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/server ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest wsrouter_hardening
                                        wsrouter_warnings)
endfunction()

# wsrouter_script_test(NAME COMMAND word... LABEL label [TIMEOUT seconds]): a test in another language.
function(wsrouter_script_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "COMMAND" ${ARGN})
  wsrouter_check_label("${ARG_LABEL}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
                       ENVIRONMENT "${WSROUTER_TEST_ENVIRONMENT}")
  if(ARG_LABEL STREQUAL "e2e")
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED grpcurl)
  endif()
endfunction()

# wsrouter_fuzz(NAME SRCS file... DEPS target...): SRCS define LLVMFuzzerTestOneInput, the corpus is
# tests/fuzz/corpus/NAME. Everywhere but in the fuzz preset, a test replays the corpus.
function(wsrouter_fuzz name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/server ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} wsrouter_hardening wsrouter_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  if(WSROUTER_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    if(NOT TARGET fuzz_targets)
      add_custom_target(fuzz_targets)
    endif()
    add_dependencies(fuzz_targets ${name})
  else()
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    add_test(NAME ${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 60
                         ENVIRONMENT "${WSROUTER_TEST_ENVIRONMENT}")
  endif()
endfunction()

# wsrouter_bench(NAME SRCS file... DEPS target...): a program that `make bench` runs, in the order of names.
function(wsrouter_bench name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/server ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} wsrouter_hardening wsrouter_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
endfunction()
