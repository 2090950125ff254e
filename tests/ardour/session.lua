-- Run by Ardour's own Lua, without a window: `ardour7-lua session.lua STEP FOLDER`. Any error ends it with a message.
--   make    a session with Etude on one track and its MIDI recorded on another, at two tempos
--   loop    load it, and record while the loop is played twice
--   roll    load it, and record the same stretch once
local step, folder = arg[1], arg[2]
local NAME, RATE, BARS, SEED, FIRST_BAR = "etude", 48000, 2, 7, 2
-- Quarter notes from the session's start to where the tempo changes, and ticks in a quarter note.
local CHANGE, TICKS = 8, 1920
local ui = ARDOUR.TransportRequestSource.TRS_UI

local function knob(processor, name, value)
  local plugin = processor:to_insert():plugin(0)
  for i = 0, plugin:parameter_count() - 1 do
    if plugin:parameter_label(i) == name then
      return ARDOUR.LuaAPI.set_processor_param(processor, i, value)
    end
  end
  error("there is no knob " .. name)
end

local function make()
  local session = assert(create_session(folder, NAME, RATE), "no session")
  local midi = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
  local function track(name)
    local tracks = session:new_midi_track(midi, midi, false, ARDOUR.PluginInfo(), nil, nil, 1, name,
      ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, false, false)
    for track in tracks:iter() do return track end
  end
  local pianist, recorder = track("Pianist"), track("Recorder")
  local plugin = ARDOUR.LuaAPI.new_plugin(session, "Etude", ARDOUR.PluginType.VST3, "")
  assert(not plugin:isnil(), "Ardour does not know Etude")
  assert(pianist:add_processor_by_index(plugin, 0, nil, true) == 0, "Etude can't be inserted")
  knob(pianist:nth_plugin(0), "Bars", BARS)
  knob(pianist:nth_plugin(0), "Seed", SEED)
  knob(pianist:nth_plugin(0), "Start bar", FIRST_BAR)
  local from, to = pianist:output():midi(0), recorder:input():midi(0)
  to:disconnect_all()
  assert(from:connect(to:name()) == 0, "the tracks can't be connected")
  local tempos = Temporal.TempoMap.write_copy()
  tempos:set_tempo(Temporal.Tempo(120, 120, 4), Temporal.timepos_t(0))
  tempos:set_tempo(Temporal.Tempo(90, 90, 4), Temporal.timepos_t.from_ticks(CHANGE * TICKS))
  Temporal.TempoMap.update(tempos)
  -- Knobs reach the plugin as audio does, and then it composes.
  sleep(3)
  session:save_state("")
end

-- Records for so many seconds of the session's time, and what it takes to get there.
local function record(start, seconds)
  local session = assert(load_session(folder, NAME), "the session can't be loaded")
  local recorder = session:route_by_name("Recorder"):to_track()
  sleep(1)
  recorder:rec_enable_control():set_value(1, PBD.GroupControlDisposition.NoGroup)
  session:maybe_enable_record()
  start(session)
  sleep(seconds)
  session:request_stop(false, false, ui)
  for _ = 1, 20 do
    if not session:transport_rolling() then break end
    sleep(1)
  end
  sleep(1)
  session:save_state("")
end

-- The loop lasts 4 s + 2.67 s; its first bar is silent, so that it may stop in the third pass up to 15 s.
local steps = {
  make = make,
  loop = function() record(function(session) session:request_play_loop(true, false) end, 14) end,
  roll = function() record(function(session) session:request_roll(ui) end, 8) end,
}
steps[step]()
close_session()
quit()
