#if __has_include(</*>)
#endif
S
#if __has_include(<*/>)
#endif
