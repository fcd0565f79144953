int one() {
  int i = 0;
  for (; i < 1; ++i) {
    return 1;
  }
}
