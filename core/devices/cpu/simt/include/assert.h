// assert is a macro of kevolve_simt.hpp: a failure ends the launch with the thread's place. glibc's would
// abort.
