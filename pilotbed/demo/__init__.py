"""The demo: the whole platform with three simulated pilots, ninety days behind them and live data coming in."""
