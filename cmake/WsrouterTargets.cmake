# The functions that the CMakeLists.txt of each folder is written in.

# wsrouter_layer(NAME SRCS file... DEPS target...): one library, wsrouter_NAME, includes relative to server/.
# A layer links exactly the layers that it may include, so DEPS is the dependency diagram.
function(wsrouter_layer name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  set(target wsrouter_${name})
  if(ARG_SRCS)
    add_library(${target} STATIC ${ARG_SRCS})
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/server)
    target_link_libraries(${target} PUBLIC ${ARG_DEPS} wsrouter_hardening PRIVATE wsrouter_warnings)
  else()
    add_library(${target} INTERFACE)  # headers only
    target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR}/server)
    target_link_libraries(${target} INTERFACE ${ARG_DEPS} wsrouter_hardening)
  endif()
endfunction()

# wsrouter_program(NAME SRCS file... DEPS target...): an executable in the top of the build folder.
function(wsrouter_program name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} wsrouter_hardening wsrouter_warnings)
endfunction()

# Appends to OUT the C++ files that protoc makes of FILE (a path below proto/); SERVICE adds the gRPC ones.
# INPUTS are all proto files that FILE may import.
function(wsrouter_protoc out file)
  cmake_parse_arguments(ARG "SERVICE" "" "INPUTS" ${ARGN})
  string(REGEX REPLACE "\\.proto$" "" stem ${WSROUTER_PROTO_GEN}/${file})
  if(ARG_SERVICE)
    set(made ${stem}.grpc.pb.cc ${stem}.grpc.pb.h)
    set(flags --grpc_out=${WSROUTER_PROTO_GEN}
        --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
  else()
    set(made ${stem}.pb.cc ${stem}.pb.h)
    set(flags --cpp_out=${WSROUTER_PROTO_GEN})
  endif()
  add_custom_command(
    OUTPUT ${made}
    COMMAND protobuf::protoc ${flags} -I ${CMAKE_CURRENT_SOURCE_DIR} ${file}
    DEPENDS ${ARG_INPUTS}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    COMMENT "protoc ${file}"
    VERBATIM)
  set(${out} ${${out}} ${made} PARENT_SCOPE)
endfunction()
