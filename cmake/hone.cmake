# Helpers of the build: flags, one library a folder, one program, one test.
include_guard()

set(HONE_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or undefined or thread")
option(HONE_FUZZ "Build the fuzz targets; the compiler is clang" OFF)
if(HONE_FUZZ)
	set(HONE_SANITIZE fuzzer-no-link,address,undefined)
endif()

add_library(hone_flags INTERFACE)
target_compile_options(hone_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror -fno-math-errno)
target_compile_definitions(hone_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64 _TIME_BITS=64)
target_include_directories(hone_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(HONE_SANITIZE)
	target_compile_options(hone_flags INTERFACE -fsanitize=${HONE_SANITIZE}
		-fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
	target_link_options(hone_flags INTERFACE -fsanitize=${HONE_SANITIZE})
endif()

# Limits of tests are so many times as long.
set(hone_patience 1)
if(HONE_SANITIZE MATCHES "thread")
	set(hone_patience 4)
endif()

# The thread sanitizer knows of a descriptor from the functions that make and close it, but libuv
# closes by a system call of its own: programs show it that as well.
function(hone_show_closes name)
	if(HONE_SANITIZE MATCHES "thread")
		target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/tsan_close.c)
		target_link_options(${name} PRIVATE LINKER:--wrap=syscall)
	endif()
endfunction()

# hone_library(NAME SOURCES a.c b.c LINKS base ...): folder NAME as a static library.
function(hone_library name)
	cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
	add_library(${name} STATIC ${ARG_SOURCES})
	target_link_libraries(${name} PUBLIC hone_flags ${ARG_LINKS})
endfunction()

# hone_program(NAME SOURCES main.c LINKS cli ...)
function(hone_program name)
	cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
	add_executable(${name} ${ARG_SOURCES})
	target_link_libraries(${name} PRIVATE hone_flags ${ARG_LINKS})
	hone_show_closes(${name})
endfunction()

# hone_test(NAME [SERIAL] LINKS graph ... PROGRAMS rpc_server ...): tests/unit/NAME.c, a cmocka program
# run by ctest. The PROGRAMS it starts are built before it and lie in the folder HONE_BIN. SERIAL: it
# takes long, and its threads, where it has any, run generated code alone: the thread sanitizer would
# see nothing, and tests/nightly.sh leaves tests with that label out there.
function(hone_test name)
	cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "LINKS;PROGRAMS" ${ARGN})
	add_executable(${name} unit/${name}.c)
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	target_link_libraries(${name} PRIVATE hone_flags ${ARG_LINKS} cmocka)
	hone_show_closes(${name})
	target_compile_definitions(${name} PRIVATE HONE_BIN="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
	if(ARG_PROGRAMS)
		add_dependencies(${name} ${ARG_PROGRAMS})
	endif()
	add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
	if(NOT ARG_TIMEOUT)
		set(ARG_TIMEOUT 120)
	endif()
	math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * ${hone_patience}")
	set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT}
		ENVIRONMENT XDG_STATE_HOME=${CMAKE_BINARY_DIR}/tests/state)
	if(ARG_SERIAL)
		set_tests_properties(${name} PROPERTIES LABELS serial)
	endif()
endfunction()
