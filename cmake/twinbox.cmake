# Every target of the project is made by one of these functions, so that flags live in one place.

find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)

# Libraries of the command come in statically: finding and relocating them would take longer than
# starting a container.
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost REQUIRED COMPONENTS program_options)
find_library(TWINBOX_LIBARCHIVE libarchive.a REQUIRED)
set(LibArchive_LIBRARY ${TWINBOX_LIBARCHIVE})
find_package(LibArchive REQUIRED)
# By their paths: names would take -Bstatic, and leaving that again breaks a static program's link.
foreach(name acl nettle lzma zstd lz4 bz2 z)
  find_library(TWINBOX_LIBRARY_${name} lib${name}.a REQUIRED)
  set_property(TARGET LibArchive::LibArchive APPEND PROPERTY
    INTERFACE_LINK_LIBRARIES ${TWINBOX_LIBRARY_${name}})
endforeach()
# libarchive's writers share a table of all formats, and xar's would bring in libxml2 and ICU.
set_property(TARGET LibArchive::LibArchive APPEND PROPERTY
  INTERFACE_LINK_OPTIONS -Wl,--defsym=archive_write_set_format_xar=0)

add_library(twinbox_flags INTERFACE)
target_include_directories(twinbox_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(twinbox_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -ffunction-sections -fdata-sections  # so that --gc-sections drops what a static program lacks use for
  $<$<BOOL:${TWINBOX_WERROR}>:-Werror>)
target_compile_definitions(twinbox_flags INTERFACE TWINBOX_VERSION="${PROJECT_VERSION}")
foreach(sanitizer IN LISTS TWINBOX_SANITIZE)
  target_compile_options(twinbox_flags INTERFACE -fsanitize=${sanitizer} -fno-omit-frame-pointer)
  target_link_options(twinbox_flags INTERFACE -fsanitize=${sanitizer})
endforeach()

# fmt's headers with its compiled half built here: Debian's libfmt is shared only, and some of our
# programs are static.
add_library(twinbox_fmt STATIC ${PROJECT_SOURCE_DIR}/base/fmt.cpp)
target_include_directories(twinbox_fmt SYSTEM PUBLIC
  $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)

# twinbox_library(NAME SOURCES ... [LINK ...]): a static library of the project.
function(twinbox_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC twinbox_flags twinbox_fmt Threads::Threads ${arg_LINK})
endfunction()

# twinbox_executable(NAME SOURCES ... [LINK ...] [STATIC]): a program of the project. STATIC links
# everything in, for programs that run where no library is (the guest) or must stay small (the monitor).
function(twinbox_executable name)
  cmake_parse_arguments(arg "STATIC" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE twinbox_flags ${arg_LINK})
  if(arg_STATIC AND NOT TWINBOX_SANITIZE)
    target_link_options(${name} PRIVATE -static -Wl,--gc-sections -Wl,--eh-frame-hdr
      -Wl,--wrap=__register_frame_info -Wl,--wrap=__deregister_frame_info)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/base/static_unwind.cpp)
  endif()
endfunction()

# GoogleTest's headers, which take longer to compile than most tests, once for all of them.
function(twinbox_reuse_test_headers name)
  if(NOT TARGET twinbox_test_headers)
    file(WRITE ${CMAKE_BINARY_DIR}/test_headers.cpp "")
    add_library(twinbox_test_headers OBJECT ${CMAKE_BINARY_DIR}/test_headers.cpp)
    target_link_libraries(twinbox_test_headers PRIVATE twinbox_flags GTest::gtest)
    target_compile_options(twinbox_test_headers PRIVATE -O0)
    target_precompile_headers(twinbox_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  target_precompile_headers(${name} REUSE_FROM twinbox_test_headers)
  target_compile_options(${name} PRIVATE -fpch-preprocess)  # for ccache
endfunction()

# twinbox_test_program(NAME SOURCES ... [LINK ...]): a program of test cases. What it tests is optimized, it is not:
# that would take longer to compile than the cases take to run.
function(twinbox_test_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE twinbox_flags ${arg_LINK} GTest::gtest GTest::gtest_main)
  target_compile_options(${name} PRIVATE -O0)
  twinbox_reuse_test_headers(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()

# twinbox_test(NAME SOURCES ... [LINK ...] [LABELS name] [LOCK name] [TIMEOUT s] [COST n]): a GoogleTest
# program; ctest lists each of its test cases. One label and one lock only: ctest's file of discovered cases does
# not keep lists apart. Those with a cost come first.
function(twinbox_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;LABELS;LOCK;COST" "SOURCES;LINK" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_COST)
    set(arg_COST 0)
  endif()
  twinbox_test_program(${name} SOURCES ${arg_SOURCES} LINK ${arg_LINK})
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}."
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}" RESOURCE_LOCK "${arg_LOCK}" COST ${arg_COST})
endfunction()
