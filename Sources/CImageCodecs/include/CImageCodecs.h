void ci_placeholder(void);
