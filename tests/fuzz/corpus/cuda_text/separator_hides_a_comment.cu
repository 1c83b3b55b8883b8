#if 0
1'000 /* '
*/
#endif
S