 
/*kevolve
{"''''scratch''Ô"*/"coopera{}
