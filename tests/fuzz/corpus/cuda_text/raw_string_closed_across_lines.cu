#if 0
R"(x)\
" /* )"
#endif
S