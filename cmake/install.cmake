# cmake --install build [--prefix PREFIX]: the programs, what they read at run time, the documentation and the systemd
# unit. Programs find the rest relative to themselves, so an installed tree may be moved as a whole.

install(TARGETS kevolve kevolved kevolve-worker kevolve-runner kevolve-nvrtc kevolve-cuda-runner
  RUNTIME DESTINATION bin)
install(DIRECTORY kernels/seed DESTINATION share/kevolve/kernels)
install(DIRECTORY config/ DESTINATION share/kevolve/config PATTERN kevolved.service EXCLUDE)
# What the compiler of the cpu device's candidates sees.
install(FILES core/devices/cpu/simt/abi.hpp DESTINATION share/kevolve/core/devices/cpu/simt)
install(DIRECTORY core/devices/cpu/simt/include DESTINATION share/kevolve/core/devices/cpu/simt)
install(DIRECTORY docs/ DESTINATION share/doc/kevolve PATTERN results EXCLUDE)
install(FILES LICENSE DESTINATION share/doc/kevolve)

# What scripts/setup.sh fetched goes along, in the places relative to each other that the wheels' own RPATHs expect.
# A LibTorch or a CUDA toolkit of the machine's is used where it is.
set(KEVOLVE_BUNDLE lib/kevolve)
set(torch_rpath ${KEVOLVE_TORCH_DIR}/lib)
if(KEVOLVE_TORCH_DIR STREQUAL ${CMAKE_SOURCE_DIR}/.deps/torch AND NOT IS_SYMLINK ${KEVOLVE_TORCH_DIR})
  set(torch_rpath "$ORIGIN/../${KEVOLVE_BUNDLE}/torch/lib")
  install(DIRECTORY ${KEVOLVE_TORCH_DIR}/lib DESTINATION ${KEVOLVE_BUNDLE}/torch USE_SOURCE_PERMISSIONS)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/.deps/torch.libs DESTINATION ${KEVOLVE_BUNDLE} USE_SOURCE_PERMISSIONS OPTIONAL)
endif()
set_target_properties(kevolve-worker PROPERTIES INSTALL_RPATH "${torch_rpath}")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/.deps/nvidia DESTINATION ${KEVOLVE_BUNDLE} USE_SOURCE_PERMISSIONS OPTIONAL)

# The unit names the programs by their full path.
install(CODE "
  file(READ \"${CMAKE_SOURCE_DIR}/config/kevolved.service\" unit)
  string(REPLACE /usr/local/ \"\${CMAKE_INSTALL_PREFIX}/\" unit \"\${unit}\")
  file(WRITE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/kevolved.service\" \"\${unit}\")
")
